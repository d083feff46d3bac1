/* Programs of pes that this one runs in its place, found from where it is itself. */
#pragma once

/*
 * Becomes the program @name of the service's folder, with @argv. Returns only when that fails: the
 * status to exit with, after saying why.
 */
int libexec_run(const char *name, char **argv);
