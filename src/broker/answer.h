/* The one answer to a question: combined, decided, counted, sent. */
#pragma once

#include <stdint.h>

#include "wire/messages.h"

struct core;
struct session;
struct question;

/* Answers a question all of whose parts are done. Does not free it. */
void answer_question(struct core *core, struct question *question, uint64_t now_us);

/* Answers a question that was never taken up. `quota` names the one that was exceeded, or is
 * NULL. */
void answer_refused(struct core *core, struct session *session, const struct wire_ask *ask,
                    uint32_t error, const char *quota, uint64_t now_us);
