/* What the launcher tells the broker. */
#pragma once

#include "broker/event.h"

struct core;

void configure_on_message(struct core *core, const struct event *event, uint64_t now_us);

/* Tells the launcher, once, when every configured provider serves or has failed. */
void configure_review_readiness(struct core *core);
