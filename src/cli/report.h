/* `pes report`, in its two forms. */
#pragma once

#include "base/cleanup.h"

struct pes_service;

MUST_CHECK int report_print_json(const struct pes_service *service);
MUST_CHECK int report_print_text(const struct pes_service *service);
