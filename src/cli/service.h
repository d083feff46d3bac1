/* What to say when the service is not there, and asking it about itself. */
#pragma once

#include "base/cleanup.h"

#define SERVICE_SYSTEM_FOLDER "/run/pes"

struct pes_service;

/* One line on stderr for a failure of the whole service: what, where, what next. @error: PES_E_*.
 * @quota: with PES_E_QUOTA which, or NULL. */
void service_complain(int error, const char *quota);

/* The runtime folder of the service that would be asked; heap, or NULL when there is none. */
char *service_folder_dup(void);

/* Asks for state (or the sums) and complains when that fails. Return: 0 or a negative PES_E_*. */
MUST_CHECK int service_get(struct pes_service **ret_service, int is_report);
void service_freep(struct pes_service **service);
