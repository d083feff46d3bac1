/* Errors: the one crossing from errno to PES_E_*. */
#pragma once

/* The negative PES_E_* for a negative errno. */
int pes_error_from_errno(int negative_errno);
