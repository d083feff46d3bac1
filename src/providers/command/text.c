/*
 * text: bytes and, beside each, the range of the content that it stands for.
 *
 * Whatever is decoded, joined or put into another order keeps these ranges, so that a finding in
 * the fifth layer can still point at the bytes that the person pasted.
 *
 * A text grows up to a limit that its maker sets and then only notes that it was cut: nothing that
 * a stranger writes can make it take more, and no caller has to check each byte that it puts.
 */
#include "providers/command/text.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 256u

void text_fini(struct text *text)
{
    free(text->bytes);
    free(text->spans);
    *text = TEXT_INIT(0);
}

/* Makes room for one more. */
static bool text_grow(struct text *text)
{
    size_t n_room = text->n_room ? text->n_room * 2 : ROOM_MIN;
    uint8_t *bytes;
    struct span *spans;

    if (n_room > text->n_max) {
        n_room = text->n_max;
    }
    if (n_room <= text->n) {
        return false;
    }
    bytes = realloc(text->bytes, n_room);
    if (!bytes) {
        return false;
    }
    text->bytes = bytes;
    spans = reallocarray(text->spans, n_room, sizeof(*spans));
    if (!spans) {
        return false;
    }
    text->spans = spans;
    text->n_room = n_room;
    return true;
}

void text_put(struct text *text, uint8_t byte, struct span span)
{
    if (text->n == text->n_room && !text_grow(text)) {
        text->is_cut = true;
        return;
    }
    text->bytes[text->n] = byte;
    text->spans[text->n] = span;
    text->n++;
}

void text_put_bytes(struct text *text, const void *bytes, size_t n, struct span span)
{
    for (size_t i = 0; i < n && !text->is_cut; i++) {
        text_put(text, ((const uint8_t *)bytes)[i], span);
    }
}

void text_put_part(struct text *text, const struct text *other, size_t from, size_t to)
{
    for (size_t i = from; i < to && i < other->n && !text->is_cut; i++) {
        text_put(text, other->bytes[i], other->spans[i]);
    }
}

struct span text_span(const struct text *text, size_t from, size_t to)
{
    struct span span = {UINT32_MAX, 0};

    if (to > text->n) {
        to = text->n;
    }
    for (size_t i = from; i < to; i++) {
        if (text->spans[i].start < span.start) {
            span.start = text->spans[i].start;
        }
        if (text->spans[i].end > span.end) {
            span.end = text->spans[i].end;
        }
    }
    return from < to ? span : (struct span){0, 0};
}

bool text_equal(const struct text *a, const struct text *b)
{
    return a->n == b->n && (a->n == 0 || memcmp(a->bytes, b->bytes, a->n) == 0);
}

bool text_has(const struct text *text, size_t at, const char *word)
{
    for (; *word != '\0'; word++, at++) {
        uint8_t c = text_at(text, at);

        if (c >= 'A' && c <= 'Z') {
            c |= 0x20;
        }
        if (c != (uint8_t)*word) {
            return false;
        }
    }
    return true;
}
