/* The zygote's end of its channel to init. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "ipc/zygote_channel.h"

/* Sends one event, waiting while init does not read. Returns 0 or -errno. */
MUST_CHECK int init_link_send(int init_fd, const struct zygote_event *event, const void *payload,
                              size_t n_payload);

/* Says which phase begins. As above. */
MUST_CHECK int init_link_phase(int init_fd, enum zygote_phase phase);
