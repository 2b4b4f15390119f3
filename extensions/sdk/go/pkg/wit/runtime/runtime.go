// Package runtime gives the generated bindings memory that the collector does not move or free while the host reads it.
package runtime

import (
	"runtime"
	"unsafe"
)

// What the host has written for the running call.
var arguments runtime.Pinner

// Allocate gives memory that stays where it is until the pinner lets go.
func Allocate(pinner *runtime.Pinner, size, _ uintptr) unsafe.Pointer {
	if size == 0 {
		return nil
	}
	// Words of eight bytes have every alignment that a WIT type asks for.
	words := make([]uint64, (size+7)/8)
	pointer := unsafe.Pointer(unsafe.SliceData(words))
	pinner.Pin(pointer)
	return pointer
}

// Unpin lets go of what the host has written: by now Go's own values hold what they need of it.
func Unpin() {
	arguments.Unpin()
}

// The host asks for memory by this name before it writes a call's arguments.
//
//go:wasmexport cabi_realloc
func realloc(old unsafe.Pointer, oldSize, align, size uint32) unsafe.Pointer {
	pointer := Allocate(&arguments, uintptr(size), uintptr(align))
	if old != nil && pointer != nil {
		copy(unsafe.Slice((*byte)(pointer), size), unsafe.Slice((*byte)(old), oldSize))
	}
	return pointer
}
