/* One question and its answer as a line of JSON. */
#pragma once

#include "base/cleanup.h"
#include "cli/window.h"

MUST_CHECK int scan_json_print(const struct window_result *result);
