/* Looks at the beginning of a stream while the rest of it is still to come. */
#pragma once

#include <stdint.h>

struct core;
struct part;
struct question;

/* More of a stream has come: whoever can say something about its beginning is asked, if it is time
 * again. */
void early_look_review(struct core *core, struct question *question, uint64_t now_us);

/* Such a part has ended; may answer the question and free it. */
void early_look_on_finished(struct core *core, struct part *part, uint64_t now_us);

/* No look counts any more: the stream is whole, or over. */
void early_look_end(struct core *core, struct question *question);
