/* Dispositions in terms of what the application can do (SPEC 6). */
#pragma once

#include <stdint.h>

/* The enum pes_action for an enum pes_disposition, given pes_can_flags. */
uint32_t fold(uint32_t disposition, uint32_t can);
