/*
 * Where the broker listens.
 *
 * The environment is believed only where the process has no more rights than whoever set it
 * (secure_getenv(3)), and not at all under a locked client policy. Relative names are refused:
 * they would mean something else after each chdir().
 */
#include "client/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void add_socket(struct place *place, const char *folder, const char *below, const char *name)
{
    char *to = place->sockets[place->n_sockets];
    int n;

    if (folder[0] != '/') {
        return;
    }
    n = snprintf(to, PLACE_SOCKET_BYTES, "%s%s/%s", folder, below, name);
    if (n > 0 && n < PLACE_SOCKET_BYTES) {
        place->n_sockets++;
    }
}

void place_find(struct place *ret_place, const char *name, bool is_locked)
{
    const char *runtime = is_locked ? NULL : secure_getenv("PES_RUNTIME_DIR");
    const char *user = secure_getenv("XDG_RUNTIME_DIR");

    ret_place->n_sockets = 0;
    if (runtime && runtime[0]) {
        add_socket(ret_place, runtime, "", name);
        return;
    }
    add_socket(ret_place, PLACE_SYSTEM_RUNTIME_DIR, "", name);
    if (!is_locked && user) {
        add_socket(ret_place, user, "/pes", name);
    }
}

enum place_absence place_absence(const struct place *place)
{
    for (size_t i = 0; i < place->n_sockets; i++) {
        char folder[PLACE_SOCKET_BYTES];
        char *slash;

        memcpy(folder, place->sockets[i], sizeof(folder));
        slash = strrchr(folder, '/');
        slash[slash == folder] = '\0'; /* the root keeps its own */
        if (access(folder, F_OK) == 0) {
            return PLACE_NO_SOCKET;
        }
    }
    return PLACE_NO_FOLDER;
}
