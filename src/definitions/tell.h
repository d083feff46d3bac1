/* One line on standard error, with whatever came from outside made safe to show. */
#pragma once

__attribute__((format(printf, 1, 2))) void tell(const char *format, ...);
