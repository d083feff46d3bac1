/*
 * Compares what our codec made of some bytes with what protobuf-c made of them.
 *
 * It walks our tables and looks each field up in protobuf-c's own description of the message, which
 * protoc-c made from protocol/pes.proto: a field to which tables and schema give different numbers
 * or types shows up here, too.
 */
#include "protobuf_twin.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame_tools.h"

static bool part_equal(const struct wire_table *table, const void *ours,
                       const ProtobufCMessage *theirs);

static void complain(const struct wire_table *table, const struct wire_field *field,
                     const char *what)
{
    fprintf(stderr, "%s.%s: %s\n", table->name, field->name, what);
}

/* Whether the schema's type of a field is what the table says. */
static bool type_fits(const struct wire_field *field, const ProtobufCFieldDescriptor *twin)
{
    switch (field->kind) {
    case WIRE_U32:
        return twin->type == PROTOBUF_C_TYPE_UINT32 || twin->type == PROTOBUF_C_TYPE_ENUM;
    case WIRE_U64:
        return twin->type == PROTOBUF_C_TYPE_UINT64;
    case WIRE_BYTES:
        return twin->type == PROTOBUF_C_TYPE_BYTES;
    case WIRE_PART:
        return twin->type == PROTOBUF_C_TYPE_MESSAGE;
    }
    return false;
}

static bool value_equal(const struct wire_field *field, const void *ours, const void *theirs)
{
    const struct wire_bytes *bytes = ours;
    const ProtobufCBinaryData *data = theirs;

    switch (field->kind) {
    case WIRE_U32:
        return *(const uint32_t *)ours == *(const uint32_t *)theirs; /* an enum is an int there */
    case WIRE_U64:
        return *(const uint64_t *)ours == *(const uint64_t *)theirs;
    case WIRE_BYTES:
        return bytes->size == data->len &&
               (bytes->size == 0 || memcmp(bytes->data, data->data, data->len) == 0);
    case WIRE_PART:
        return part_equal(field->part, ours, *(ProtobufCMessage *const *)theirs);
    }
    return false;
}

static size_t stride_of(const struct wire_field *field)
{
    switch (field->kind) {
    case WIRE_U32:
        return sizeof(uint32_t);
    case WIRE_U64:
        return sizeof(uint64_t);
    case WIRE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case WIRE_PART:
        return sizeof(ProtobufCMessage *);
    }
    return 0;
}

static bool field_equal(const struct wire_field *field, const ProtobufCFieldDescriptor *twin,
                        const void *ours, const ProtobufCMessage *theirs)
{
    const char *value = (const char *)ours + field->offset;
    const char *other = (const char *)theirs + twin->offset;
    size_t n = 1;

    if (field->max_count) {
        n = *(const size_t *)((const char *)ours + field->count_offset);
        if (twin->label != PROTOBUF_C_LABEL_REPEATED ||
            n != *(const size_t *)((const char *)theirs + twin->quantifier_offset)) {
            return false;
        }
        other = *(const char *const *)other;
    }
    for (size_t i = 0; i < n; i++) {
        if (!value_equal(field, value + i * field->stride, other + i * stride_of(field))) {
            return false;
        }
    }
    return true;
}

static bool part_equal(const struct wire_table *table, const void *ours,
                       const ProtobufCMessage *theirs)
{
    if (theirs->descriptor->n_fields != table->n_fields) {
        return false;
    }
    for (size_t i = 0; i < table->n_fields; i++) {
        const struct wire_field *field = &table->fields[i];
        const ProtobufCFieldDescriptor *twin =
            protobuf_c_message_descriptor_get_field(theirs->descriptor, field->number);

        if (!twin || strcmp(twin->name, field->name) != 0 || !type_fits(field, twin)) {
            complain(table, field, "is something else in the schema");
            return false;
        }
        if (!field_equal(field, twin, ours, theirs)) {
            complain(table, field, "differs");
            return false;
        }
    }
    return true;
}

/*
 * Enums are signed in protobuf: one of 2^31 and up is negative there, and written in ten bytes.
 * SPEC 12 gives no such number away; a decoder keeps it like any unknown one.
 */
static bool has_negative_enum(const ProtobufCMessage *message)
{
    for (unsigned int i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        const char *value = (const char *)message + field->offset;
        size_t n = 1;

        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            n = *(const size_t *)((const char *)message + field->quantifier_offset);
            value = *(const char *const *)value;
        }
        for (size_t k = 0; k < n; k++) {
            if (field->type == PROTOBUF_C_TYPE_ENUM && ((const int *)value)[k] < 0) {
                return true;
            }
            if (field->type == PROTOBUF_C_TYPE_MESSAGE &&
                has_negative_enum(((ProtobufCMessage *const *)value)[k])) {
                return true;
            }
        }
    }
    return false;
}

static const ProtobufCMessage *body_of(const Pes__Frame *frame)
{
    const ProtobufCFieldDescriptor *twin =
        protobuf_c_message_descriptor_get_field(frame->base.descriptor, frame->body_case);

    return twin ? *(ProtobufCMessage *const *)((const char *)frame + twin->offset) : NULL;
}

bool twin_equal(const struct wire_frame *ours, const Pes__Frame *theirs)
{
    const struct wire_message *layout = frame_layout(ours->type);

    return layout && (uint32_t)theirs->body_case == (uint32_t)ours->type &&
           part_equal(layout->table, frame_message(ours), body_of(theirs));
}

static void must(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

void twin_check_round_trip(const struct wire_frame *ours)
{
    static struct wire_frame again;
    static uint8_t encoded[WIRE_MESSAGE_BYTES_MAX], packed[WIRE_MESSAGE_BYTES_MAX];
    Pes__Frame *theirs;
    size_t n = 0;
    int r = wire_encode(ours->type, frame_message(ours), encoded, sizeof(encoded), &n);

    if (r == WIRE_E_NO_SPACE) {
        return;
    }
    must(r == 0, "a message that decoded does not encode");
    must(wire_decode(&again, encoded, n, NULL) == 0, "what we encode we do not decode");
    must(frame_equal(ours, &again), "what we encode decodes to other values");
    theirs = pes__frame__unpack(NULL, n, encoded);
    must(theirs != NULL, "what we encode protobuf-c does not decode");
    must(twin_equal(ours, theirs), "what we encode protobuf-c decodes to other values");
    if (!has_negative_enum(body_of(theirs))) {
        must(pes__frame__get_packed_size(theirs) == n, "protobuf-c encodes to another length");
        pes__frame__pack(theirs, packed);
        must(memcmp(packed, encoded, n) == 0, "protobuf-c encodes to other bytes");
    }
    pes__frame__free_unpacked(theirs, NULL);
}
