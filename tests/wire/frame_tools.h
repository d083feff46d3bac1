/* Compares, fills and prints decoded messages by their tables, for tests and fuzz targets. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "wire/codec.h"
#include "wire/table.h"

/* The layout of a message type, or NULL. */
const struct wire_message *frame_layout(uint32_t type);

/* The struct of the message that is in the frame. */
const void *frame_message(const struct wire_frame *frame);

/* Whether both hold the same message with the same values. */
bool frame_equal(const struct wire_frame *a, const struct wire_frame *b);

/* Writes every value that is set as JSON on one line, byte strings as {"hex": "..."}. */
void frame_print(FILE *out, const struct wire_frame *frame);

/* Makes a message out of arbitrary bytes, within all limits; byte strings point into them. */
void frame_fill(struct wire_frame *ret_frame, const uint8_t *bytes, size_t n_bytes);
