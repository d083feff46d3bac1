/* How requests end. */
#pragma once

#include <stdint.h>

#include "client/answer.h"
#include "client/request.h"

struct connection;

/* What an answer to the request is about. */
struct answer_about settle_about(const struct pes_request *request);

/* The client policy's word on it; never NULL. `error` is an enum pes_error. */
struct pes_answer *settle_fallback(const struct pes_request *request, uint32_t error,
                                   uint32_t retry_after_ms);

/* Gives the request its answer. `connection` is where it came from, or NULL. */
void settle_with(struct pes_request *request, struct pes_answer *answer,
                 const struct connection *connection);

/* Gives it the client policy's. */
void settle(struct pes_request *request, uint32_t error, uint32_t retry_after_ms);
void settle_all(struct list *list, uint32_t error, uint32_t retry_after_ms);
