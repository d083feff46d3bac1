/*
 * literal_ops: what scripts do with pieces of text before they run them.
 *
 * Each function reads its input a bounded number of times and writes at most what the result's own
 * limit allows; nothing here can grow beyond it, whatever is replaced by whatever.
 */
#include "providers/command/literal_ops.h"

void operands_fini(struct operands *operands)
{
    for (size_t i = 0; i < operands->n; i++) {
        text_fini(&operands->items[i]);
    }
    operands->n = 0;
}

struct text *operands_add(struct operands *operands, size_t n_max)
{
    if (operands->n == OPERANDS_MAX) {
        return NULL;
    }
    operands->items[operands->n] = TEXT_INIT(n_max);
    return &operands->items[operands->n++];
}

/* A place holder at `at`: its bytes, and which item; 0 bytes when there is none. */
static size_t placeholder(const struct text *format, size_t at, size_t *ret_item)
{
    size_t n = 1;
    size_t item = 0;

    while (text_at(format, at + n) >= '0' && text_at(format, at + n) <= '9' && n < 4) {
        item = item * 10 + (text_at(format, at + n) - (size_t)'0');
        n++;
    }
    if (n == 1) {
        return 0;
    }
    while (text_at(format, at + n) != '}') {
        if (at + n >= format->n || n > 16) {
            return 0;
        }
        n++;
    }
    *ret_item = item;
    return n + 1;
}

void operation_format(const struct text *format, const struct operands *operands,
                      struct text *ret_text)
{
    for (size_t i = 0; i < format->n && !ret_text->is_cut;) {
        size_t item = 0;
        size_t n = format->bytes[i] == '{' ? placeholder(format, i, &item) : 0;

        if (n > 0) {
            if (item < operands->n) {
                text_put_part(ret_text, &operands->items[item], 0, operands->items[item].n);
            }
            i += n;
            continue;
        }
        if ((format->bytes[i] == '{' || format->bytes[i] == '}') &&
            text_at(format, i + 1) == format->bytes[i]) {
            i++;
        }
        text_put_part(ret_text, format, i, i + 1);
        i++;
    }
}

void operation_join(const struct operands *operands, const struct text *separator,
                    struct text *ret_text)
{
    for (size_t i = 0; i < operands->n; i++) {
        if (i > 0 && separator) {
            text_put_part(ret_text, separator, 0, separator->n);
        }
        text_put_part(ret_text, &operands->items[i], 0, operands->items[i].n);
    }
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static bool is_at(const struct text *text, size_t at, const struct text *part)
{
    if (part->n > text->n - at) {
        return false;
    }
    for (size_t i = 0; i < part->n; i++) {
        if (lower(text->bytes[at + i]) != lower(part->bytes[i])) {
            return false;
        }
    }
    return true;
}

void operation_replace(const struct text *text, const struct text *old, const struct text *new_text,
                       struct text *ret_text)
{
    for (size_t i = 0; i < text->n && !ret_text->is_cut;) {
        if (old->n > 0 && is_at(text, i, old)) {
            text_put_part(ret_text, new_text, 0, new_text->n);
            i += old->n;
        } else {
            text_put_part(ret_text, text, i, i + 1);
            i++;
        }
    }
}

void operation_reverse(const struct text *text, struct text *ret_text)
{
    for (size_t i = text->n; i > 0; i--) {
        text_put_part(ret_text, text, i - 1, i);
    }
}

void operation_pick(const struct text *text, const int64_t *indices, size_t n_indices,
                    struct text *ret_text)
{
    for (size_t i = 0; i < n_indices; i++) {
        int64_t index = indices[i] < 0 ? (int64_t)text->n + indices[i] : indices[i];

        if (index >= 0 && (uint64_t)index < text->n) {
            text_put_part(ret_text, text, (size_t)index, (size_t)index + 1);
        }
    }
}
