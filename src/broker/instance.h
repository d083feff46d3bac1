/* What one generation of a provider goes through. */
#pragma once

#include <stdint.h>

#include "broker/provider.h"

void instance_free(struct core *core, struct instance *instance);

void instance_on_init(struct core *core, struct instance *instance, const struct event *event,
                      uint64_t now_us);
void instance_on_init_closed(struct core *core, struct instance *instance, uint64_t now_us);
void instance_on_worker_message(struct core *core, struct instance *instance,
                                const struct event *event, uint64_t now_us);
void instance_on_worker_closed(struct core *core, struct instance *instance,
                               const struct event *event);
/* The provider is not wanted any more: what is there ends as soon as no question is open on it. */
void instance_retire_all(struct core *core, struct provider *provider, uint64_t now_us);

void instance_on_timer(struct core *core, struct instance *instance, uint64_t now_us);
