/* What the commands about packages say, and how they end. */
#pragma once

enum exit_status {
    EXIT_DONE = 0,
    EXIT_REFUSED = 1,
    EXIT_NOT_DONE = 2,
    EXIT_USAGE = 64,
};

/* One line on standard error that begins with "pes: "; whatever came from outside is made safe. */
__attribute__((format(printf, 1, 2))) void tell(const char *format, ...);
