/* Answers to those who ask about the service itself. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct core;
struct session;
struct wire_query;

/* Sends the list that was asked for; false when there is none such. */
bool query_answer(struct core *core, struct session *session, const struct wire_query *query,
                  uint64_t now_us);
