/*
 * What tests and fuzz targets do with decoded messages. Everything walks the tables, so that no
 * message can be forgotten; nothing here shares code with the codec.
 */
#include "frame_tools.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const struct wire_message *frame_layout(uint32_t type)
{
    for (size_t i = 0; i < wire_n_messages; i++) {
        if ((uint32_t)wire_messages[i].type == type) {
            return &wire_messages[i];
        }
    }
    return NULL;
}

const void *frame_message(const struct wire_frame *frame)
{
    const struct wire_message *layout = frame_layout(frame->type);

    if (!layout) {
        abort();
    }
    return (const char *)frame + layout->offset;
}

static size_t rows_of(const struct wire_field *field, const void *object)
{
    return field->max_count ? *(const size_t *)((const char *)object + field->count_offset) : 1;
}

static const void *row_of(const struct wire_field *field, const void *object, size_t i)
{
    return (const char *)object + field->offset + i * field->stride;
}

/* ----------------------------------------------------------------------------------- comparing */

static bool equal(const struct wire_table *table, const void *a, const void *b);

static bool value_equal(const struct wire_field *field, const void *a, const void *b)
{
    const struct wire_bytes *x = a, *y = b;

    switch (field->kind) {
    case WIRE_U32:
        return *(const uint32_t *)a == *(const uint32_t *)b;
    case WIRE_U64:
        return *(const uint64_t *)a == *(const uint64_t *)b;
    case WIRE_BYTES:
        return x->size == y->size && memcmp(x->data, y->data, x->size) == 0;
    case WIRE_PART:
        return equal(field->part, a, b);
    }
    abort();
}

static bool equal(const struct wire_table *table, const void *a, const void *b)
{
    for (size_t i = 0; i < table->n_fields; i++) {
        const struct wire_field *field = &table->fields[i];

        if (rows_of(field, a) != rows_of(field, b)) {
            return false;
        }
        for (size_t k = 0; k < rows_of(field, a); k++) {
            if (!value_equal(field, row_of(field, a, k), row_of(field, b, k))) {
                return false;
            }
        }
    }
    return true;
}

bool frame_equal(const struct wire_frame *a, const struct wire_frame *b)
{
    return a->type == b->type &&
           equal(frame_layout(a->type)->table, frame_message(a), frame_message(b));
}

/* ------------------------------------------------------------------------------------ printing */

static void print(FILE *out, const struct wire_table *table, const void *object);

static void print_value(FILE *out, const struct wire_field *field, const void *value)
{
    const struct wire_bytes *bytes = value;

    switch (field->kind) {
    case WIRE_U32:
        fprintf(out, "%" PRIu32, *(const uint32_t *)value);
        break;
    case WIRE_U64:
        fprintf(out, "%" PRIu64, *(const uint64_t *)value);
        break;
    case WIRE_BYTES:
        fprintf(out, "{\"hex\": \"");
        for (size_t i = 0; i < bytes->size; i++) {
            fprintf(out, "%02x", bytes->data[i]);
        }
        fprintf(out, "\"}");
        break;
    case WIRE_PART:
        print(out, field->part, value);
        break;
    }
}

static bool is_set(const struct wire_field *field, const void *object)
{
    const void *value = row_of(field, object, 0);

    if (field->max_count) {
        return rows_of(field, object) > 0;
    }
    switch (field->kind) {
    case WIRE_U32:
        return *(const uint32_t *)value;
    case WIRE_U64:
        return *(const uint64_t *)value;
    case WIRE_BYTES:
        return ((const struct wire_bytes *)value)->size;
    case WIRE_PART:
        return true;
    }
    abort();
}

static void print(FILE *out, const struct wire_table *table, const void *object)
{
    const char *comma = "";

    fprintf(out, "{");
    for (size_t i = 0; i < table->n_fields; i++) {
        const struct wire_field *field = &table->fields[i];

        if (!is_set(field, object)) {
            continue;
        }
        fprintf(out, "%s\"%s\": %s", comma, field->name, field->max_count ? "[" : "");
        for (size_t k = 0; k < rows_of(field, object); k++) {
            fprintf(out, "%s", k ? ", " : "");
            print_value(out, field, row_of(field, object, k));
        }
        fprintf(out, "%s", field->max_count ? "]" : "");
        comma = ", ";
    }
    fprintf(out, "}");
}

void frame_print(FILE *out, const struct wire_frame *frame)
{
    const struct wire_table *table = frame_layout(frame->type)->table;

    fprintf(out, "{\"message\": \"%s\", \"fields\": ", table->name);
    print(out, table, frame_message(frame));
    fprintf(out, "}");
}

/* ------------------------------------------------------------------------------------- filling */

struct source {
    const uint8_t *at;
    size_t n;
    size_t budget; /* bytes of byte strings still allowed, so that the message stays encodable */
};

static uint64_t draw(struct source *in, size_t n_bytes)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n_bytes && in->n > 0; i++) {
        value = value << 8 | *in->at++;
        in->n--;
    }
    return value;
}

/* A width first, so that small numbers are as likely as large ones. */
static uint64_t draw_number(struct source *in, size_t n_bytes_max)
{
    return draw(in, draw(in, 1) % (n_bytes_max + 1));
}

static struct wire_bytes draw_bytes(struct source *in, size_t max)
{
    struct wire_bytes bytes = {.data = in->at};
    size_t size = draw_number(in, 2);

    size = size > max ? max : size;
    size = size > in->n ? in->n : size;
    size = size > in->budget ? in->budget : size;
    bytes.data = in->at;
    bytes.size = size;
    in->at += size;
    in->n -= size;
    in->budget -= size;
    return bytes;
}

static void fill(struct source *in, const struct wire_table *table, void *object)
{
    for (size_t i = 0; i < table->n_fields; i++) {
        const struct wire_field *field = &table->fields[i];
        size_t n = 1;

        if (field->max_count) {
            n = draw(in, 1) % (field->max_count + 1);
            *(size_t *)((char *)object + field->count_offset) = n;
        }
        for (size_t k = 0; k < n; k++) {
            void *value = (void *)row_of(field, object, k);

            switch (field->kind) {
            case WIRE_U32:
                *(uint32_t *)value = (uint32_t)draw_number(in, 4);
                if (field->known_flags) {
                    *(uint32_t *)value &= field->known_flags;
                }
                break;
            case WIRE_U64:
                *(uint64_t *)value = draw_number(in, 8);
                break;
            case WIRE_BYTES:
                *(struct wire_bytes *)value = draw_bytes(in, field->max_bytes);
                break;
            case WIRE_PART:
                fill(in, field->part, value);
                break;
            }
        }
    }
}

void frame_fill(struct wire_frame *ret_frame, const uint8_t *bytes, size_t n_bytes)
{
    struct source in = {.at = bytes, .n = n_bytes, .budget = 40000};
    const struct wire_message *layout = &wire_messages[draw(&in, 1) % wire_n_messages];

    memset(ret_frame, 0xa5, sizeof(*ret_frame));
    ret_frame->type = layout->type;
    fill(&in, layout->table, (char *)ret_frame + layout->offset);
}
