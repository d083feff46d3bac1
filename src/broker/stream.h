/* Content of unknown length: a question that is asked first, and whose content follows. */
#pragma once

#include <stdint.h>

struct core;
struct session;
struct content;
struct wire_segment;

/* Length of a stream's segments but the last, where no content is larger than this. */
uint32_t stream_segment_bytes(uint64_t max_content_bytes);

/* A client commits a segment, or ends a stream. */
void stream_on_segment(struct core *core, struct session *session,
                       const struct wire_segment *segment, uint64_t now_us);

/* A segment's seals are right (0), or are not. Frees it if it is in the row then. */
void stream_on_checked(struct core *core, struct content *segment, int error, uint64_t now_us);

/* The broker ends: whoever is in the middle of a stream asks its successor. */
void stream_end_all(struct core *core, struct session *session, uint64_t now_us);
