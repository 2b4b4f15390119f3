// Package types has the WIT types that Go has not: option, result, tuple. The generated bindings name it by this path.
package types

// Unit is what a result without a value holds.
type Unit struct{}

// Tags of an option and of a result.
const (
	OptionNone = 0
	OptionSome = 1
	ResultOk   = 0
	ResultErr  = 1
)

// Option is a value or none.
type Option[T any] struct {
	there bool
	value T
}

// None is no value.
func None[T any]() Option[T] { return Option[T]{} }

// Some is this value.
func Some[T any](value T) Option[T] { return Option[T]{there: true, value: value} }

// Tag is OptionNone or OptionSome.
func (o Option[T]) Tag() uint8 {
	if o.there {
		return OptionSome
	}
	return OptionNone
}

// Some is the value; it panics where there is none.
func (o Option[T]) Some() T {
	if !o.there {
		panic("an option without a value")
	}
	return o.value
}

// SomeOr is the value, or this other one where there is none.
func (o Option[T]) SomeOr(other T) T {
	if o.there {
		return o.value
	}
	return other
}

// IsSome says whether there is a value.
func (o Option[T]) IsSome() bool { return o.there }

// IsNone says whether there is none.
func (o Option[T]) IsNone() bool { return !o.there }

// Result is a value, or an error.
type Result[T any, E any] struct {
	failed bool
	value  T
	err    E
}

// Ok is a result with a value.
func Ok[T any, E any](value T) Result[T, E] { return Result[T, E]{value: value} }

// Err is a result with an error.
func Err[T any, E any](err E) Result[T, E] { return Result[T, E]{failed: true, err: err} }

// Tag is ResultOk or ResultErr.
func (r Result[T, E]) Tag() uint8 {
	if r.failed {
		return ResultErr
	}
	return ResultOk
}

// Ok is the value; it panics for an error.
func (r Result[T, E]) Ok() T {
	if r.failed {
		panic("a result without a value")
	}
	return r.value
}

// Err is the error; it panics where there is none.
func (r Result[T, E]) Err() E {
	if !r.failed {
		panic("a result without an error")
	}
	return r.err
}

// Tuple2 is two values.
type Tuple2[A any, B any] struct {
	F0 A
	F1 B
}
