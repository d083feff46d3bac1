/* The zygote: loads one provider, proves it, forks workers on init's word. */
#pragma once

#include "host/host_options.h"

/* Runs until init is gone or loading fails; returns the exit status. */
int zygote_run(const struct host_options *options);
