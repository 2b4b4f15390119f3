// The SDK for C: a reader of JSON for the binding's config and a request's body, texts, and integer money. Knows no point.
#include "mortise.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What is left of a JSON text.
typedef struct {
  const uint8_t *at;
  const uint8_t *end;
} reader;

static void skip_space(reader *json) {
  while (json->at < json->end && memchr(" \t\r\n", *json->at, 4)) json->at++;
}

static bool take(reader *json, char wanted) {
  skip_space(json);
  if (json->at == json->end || *json->at != (uint8_t)wanted) return false;
  json->at++;
  return true;
}

static bool hex(reader *json, uint32_t *value) {
  if (json->end - json->at < 4) return false;
  *value = 0;
  for (int digit = 0; digit < 4; digit++) {
    uint8_t c = *json->at++;
    uint32_t nibble = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10u : c >= 'A' && c <= 'F' ? c - 'A' + 10u : 16;
    if (nibble == 16) return false;
    *value = *value << 4 | nibble;
  }
  return true;
}

static size_t put_utf8(uint8_t *into, uint32_t c) {
  if (c < 0x80) return into[0] = (uint8_t)c, 1;
  if (c < 0x800) return into[0] = 0xc0 | c >> 6, into[1] = 0x80 | (c & 0x3f), 2;
  if (c < 0x10000) return into[0] = 0xe0 | c >> 12, into[1] = 0x80 | (c >> 6 & 0x3f), into[2] = 0x80 | (c & 0x3f), 3;
  return into[0] = 0xf0 | c >> 18, into[1] = 0x80 | (c >> 12 & 0x3f), into[2] = 0x80 | (c >> 6 & 0x3f), into[3] = 0x80 | (c & 0x3f), 4;
}

// What stands behind a backslash. An escape is never shorter than what it means.
static bool escape(reader *json, uint8_t *into, size_t *len) {
  static const char names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
  if (json->at == json->end) return false;
  uint8_t c = *json->at++;
  if (c == 'u') {
    uint32_t code, low;
    if (!hex(json, &code)) return false;
    if (code >= 0xd800 && code < 0xdc00) {
      if (json->end - json->at < 6 || json->at[0] != '\\' || json->at[1] != 'u') return false;
      json->at += 2;
      if (!hex(json, &low) || low < 0xdc00 || low > 0xdfff) return false;
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    *len += put_utf8(into + *len, code);
    return true;
  }
  const char *found = c ? strchr(names, c) : NULL;
  if (!found) return false;
  into[(*len)++] = (uint8_t)meant[found - names];
  return true;
}

static bool text(reader *json, guest_string_t *value) {
  if (!take(json, '"')) return false;
  uint8_t *into = mortise_list((size_t)(json->end - json->at) + 1, 1);
  size_t len = 0;
  while (json->at < json->end && *json->at != '"') {
    uint8_t c = *json->at++;
    if (c != '\\') into[len++] = c;
    else if (!escape(json, into, &len)) return false;
  }
  *value = (guest_string_t){into, len};
  return take(json, '"');
}

// Passes over a value of any type: to the comma or bracket that ends it.
static bool skip_value(reader *json) {
  size_t depth = 0;
  guest_string_t ignored;
  for (;;) {
    skip_space(json);
    if (json->at == json->end) return false;
    uint8_t c = *json->at;
    if (depth == 0 && (c == ',' || c == '}' || c == ']')) return true;
    if (c == '"') {
      if (!text(json, &ignored)) return false;
      continue;
    }
    if (c == '{' || c == '[') depth++;
    if (c == '}' || c == ']') depth--;
    json->at++;
  }
}

static reader reading(guest_string_t json) {
  return (reader){json.ptr, json.ptr + json.len};
}

// Takes a value of any type, as it is written.
static bool value_of(reader *json, guest_string_t *value) {
  skip_space(json);
  const uint8_t *first = json->at;
  if (!skip_value(json) || json->at == first) return false;
  *value = (guest_string_t){(uint8_t *)first, (size_t)(json->at - first)};
  return true;
}

bool mortise_json_member(guest_string_t object, const char *name, guest_string_t *value) {
  reader json = reading(object);
  if (!take(&json, '{')) return false;
  do {
    guest_string_t key;
    if (!text(&json, &key) || !take(&json, ':') || !value_of(&json, value)) return false;
    if (key.len == strlen(name) && memcmp(key.ptr, name, key.len) == 0) return true;
  } while (take(&json, ','));
  return false;
}

bool mortise_json_item(guest_string_t *list, guest_string_t *value) {
  reader json = reading(*list);
  // What is left of a list begins with its bracket, or with the comma behind the item before.
  if (!take(&json, '[') && !take(&json, ',')) return false;
  if (!value_of(&json, value)) return false;
  *list = (guest_string_t){(uint8_t *)json.at, (size_t)(json.end - json.at)};
  return true;
}

bool mortise_json_text(guest_string_t value, guest_string_t *found) {
  reader json = reading(value);
  return text(&json, found);
}

bool mortise_json_integer(guest_string_t value, int64_t *integer) {
  reader json = reading(value);
  bool negative = take(&json, '-');
  skip_space(&json);
  const uint8_t *first = json.at;
  int64_t found = 0;
  while (json.at < json.end && *json.at >= '0' && *json.at <= '9') {
    int64_t digit = *json.at++ - '0';
    if (found > (INT64_MAX - digit) / 10) return false;
    found = found * 10 + digit;
  }
  // Neither digits nor a fraction.
  if (json.at == first || (json.at < json.end && memchr(".eE", *json.at, 3))) return false;
  *integer = negative ? -found : found;
  return true;
}

guest_string_t mortise_json_quoted(guest_string_t value) {
  // An escape has at most six characters.
  char *quoted = mortise_list(value.len * 6 + 3, 1);
  size_t len = 0;
  quoted[len++] = '"';
  for (size_t index = 0; index < value.len; index++) {
    uint8_t c = value.ptr[index];
    if (c < 0x20) {
      len += (size_t)snprintf(quoted + len, 7, "\\u%04x", c);
      continue;
    }
    if (c == '"' || c == '\\') quoted[len++] = '\\';
    quoted[len++] = (char)c;
  }
  quoted[len++] = '"';
  return (guest_string_t){(uint8_t *)quoted, len};
}

bool mortise_config_text(const guest_string_t *config, const char *name, guest_string_t *value) {
  guest_string_t member;
  return mortise_json_member(*config, name, &member) && mortise_json_text(member, value);
}

bool mortise_config_integer(const guest_string_t *config, const char *name, int64_t *value) {
  guest_string_t member;
  return mortise_json_member(*config, name, &member) && mortise_json_integer(member, value);
}

bool mortise_decline(guest_string_t *err, const char *reason) {
  *err = mortise_text("%s", reason);
  return false;
}

bool mortise_attribute(const void *attributes, size_t count, const char *name, guest_string_t *value) {
  struct {
    guest_string_t name;
    guest_string_t value;
  } pair;
  for (size_t index = 0; index < count; index++) {
    memcpy(&pair, (const uint8_t *)attributes + index * sizeof pair, sizeof pair);
    if (pair.name.len == strlen(name) && memcmp(pair.name.ptr, name, pair.name.len) == 0) {
      *value = pair.value;
      return true;
    }
  }
  return false;
}

bool mortise_same(guest_string_t one, guest_string_t other) {
  return one.len == other.len && memcmp(one.ptr, other.ptr, one.len) == 0;
}

guest_string_t mortise_text(const char *format, ...) {
  va_list args, again;
  va_start(args, format);
  va_copy(again, args);
  int len = vsnprintf(NULL, 0, format, args);
  if (len < 0) abort();
  char *text = mortise_list((size_t)len + 1, 1);
  vsnprintf(text, (size_t)len + 1, format, again);
  va_end(again);
  va_end(args);
  return (guest_string_t){(uint8_t *)text, (size_t)len};
}

void *mortise_list(size_t count, size_t item_bytes) {
  void *memory = calloc(count ? count : 1, item_bytes);
  if (!memory) abort();
  return memory;
}

mortise_price mortise_less(mortise_price price, int64_t rate_bp) {
  return (mortise_price){mortise_rate_of(price.amount, 10000 - rate_bp), price.per};
}

bool mortise_is_below(mortise_price price, mortise_price other) {
  return (__int128)price.amount * other.per < (__int128)other.amount * price.per;
}

int64_t mortise_rate_of(int64_t amount, int64_t rate_bp) {
  __int128 product = (__int128)amount * rate_bp;
  __int128 rounded = ((product < 0 ? -product : product) + 5000) / 10000;
  return (int64_t)(product < 0 ? -rounded : rounded);
}

guest_string_t mortise_percent(int64_t rate_bp) {
  long long whole = rate_bp / 100, rest = rate_bp % 100;
  if (rest < 0) rest = -rest;
  if (rest == 0) return mortise_text("%lld%%", whole);
  return rest % 10 == 0 ? mortise_text("%lld.%lld%%", whole, rest / 10) : mortise_text("%lld.%02lld%%", whole, rest);
}

// The linker puts this in the place of `free`: the bindings free an answer's texts, each wherever it stands, and a text may
// stand in an answer twice. The instance's memory goes as a whole.
void __wrap_free(void *memory) {
  (void)memory;
}
