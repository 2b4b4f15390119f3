// What a Mortise extension in C shares: the binding's config, JSON, SKU attributes, texts, and integer money. The types of a point
// are those that wit-bindgen makes of its WIT, in guest.h. An instance lives for one call, so nothing has to be freed.
#ifndef MORTISE_H
#define MORTISE_H

#include "guest.h"

// An amount in minor units for so many units: "3 for 5.00" is { 500, 3 }.
typedef struct {
  int64_t amount;
  int64_t per;
} mortise_price;

// A member of the config, which is a JSON object. False where it is not there or of another type. A text may have any
// escape; integers have 64 bits.
bool mortise_config_text(const guest_string_t *config, const char *name, guest_string_t *value);
bool mortise_config_integer(const guest_string_t *config, const char *name, int64_t *value);

// Parts of a JSON text, as they are written in it: a member of an object, and the items of a list one after another
// (`while (mortise_json_item(&list, &item))`, which moves `list` on). False where there is none.
bool mortise_json_member(guest_string_t object, const char *name, guest_string_t *value);
bool mortise_json_item(guest_string_t *list, guest_string_t *value);

// What such a part means. False where it is of another type.
bool mortise_json_text(guest_string_t value, guest_string_t *found);
bool mortise_json_integer(guest_string_t value, int64_t *integer);

// A text as it is written in JSON, with its quotation marks.
guest_string_t mortise_json_quoted(guest_string_t value);

// The answer "none, for this reason": `return mortise_decline(err, "config: rate_bp is not set");`
bool mortise_decline(guest_string_t *err, const char *reason);

// The value of a SKU attribute that the manifest asks for; false where the line has none of this name.
// `attributes` is a point's list of pairs of texts: mortise_attribute(line->attributes.ptr, line->attributes.len, ...).
bool mortise_attribute(const void *attributes, size_t count, const char *name, guest_string_t *value);

bool mortise_same(guest_string_t one, guest_string_t other);

// A text as printf writes it. A guest_string_t is printed by "%.*s" with (int)text.len, text.ptr.
guest_string_t mortise_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

// A list's memory for so many items, filled with zeros. It ends the call where there is none.
void *mortise_list(size_t count, size_t item_bytes);

// A price less a rate in basis points (500 is 5%), to the nearest minor unit, halves up.
mortise_price mortise_less(mortise_price price, int64_t rate_bp);

// Cheaper for each unit than the other, exactly: 500 for 3 is below 167 for 1.
bool mortise_is_below(mortise_price price, mortise_price other);

// A rate in basis points of an amount, rounded half up (away from zero for negative amounts).
int64_t mortise_rate_of(int64_t amount, int64_t rate_bp);

// A rate as people write it: 500 is "5%", 1250 is "12.5%".
guest_string_t mortise_percent(int64_t rate_bp);

#endif
