/* Status and report: one query at a time, and what comes back. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <pes/service.h>

#include "wire/messages.h"

enum query_what {
    QUERY_STATUS = 1,
    QUERY_REPORT = 2,
};

/* A query under way. */
struct query {
    uint64_t serial; /* of the connection */
    uint64_t id;
    enum query_what what;
    bool is_done;
    uint32_t error; /* enum pes_error */
    struct pes_service *service;
};

/* What arrived; whatever nobody asked for is ignored. */
void query_service(struct pes_ctx *ctx, uint64_t serial, const struct wire_service *wire);
void query_report(struct pes_ctx *ctx, uint64_t serial, const struct wire_report *wire);
void query_refused(struct pes_ctx *ctx, uint64_t serial, uint64_t id, uint32_t error);
void query_lost(struct pes_ctx *ctx, uint64_t serial, uint32_t error);

/* Copies out of the broker's message. Returns NULL without memory. */
struct pes_service *service_from_status(const struct wire_service *wire);
struct pes_service *service_from_report(const struct wire_report *wire);
