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

#include "base/off_state.h"

/* Returns NULL, or why there can be no such socket. */
static const char *add_socket(struct place *place, const char *folder, const char *below,
                              const char *name)
{
    char *to = place->sockets[place->n_sockets];
    int n;

    if (folder[0] != '/') {
        return "PES_RUNTIME_DIR is not an absolute path";
    }
    n = snprintf(to, PLACE_SOCKET_BYTES, "%s%s/%s", folder, below, name);
    if (n < 0 || n >= PLACE_SOCKET_BYTES) {
        return "PES_RUNTIME_DIR is longer than the path of a socket may be";
    }
    place->n_sockets++;
    return NULL;
}

void place_find(struct place *ret_place, const char *name, bool is_locked)
{
    const char *runtime = is_locked ? NULL : secure_getenv("PES_RUNTIME_DIR");
    const char *user = secure_getenv("XDG_RUNTIME_DIR");

    ret_place->n_sockets = 0;
    ret_place->error = NULL;
    if (runtime && runtime[0]) {
        ret_place->error = add_socket(ret_place, runtime, "", name);
        return;
    }
    add_socket(ret_place, PLACE_SYSTEM_RUNTIME_DIR, "", name);
    if (!is_locked && user) {
        add_socket(ret_place, user, "/pes", name);
    }
}

/* The first folder for a socket that is there. */
static bool find_folder(const struct place *place, char ret_folder[PLACE_SOCKET_BYTES])
{
    for (size_t i = 0; i < place->n_sockets; i++) {
        char *slash;

        memcpy(ret_folder, place->sockets[i], PLACE_SOCKET_BYTES);
        slash = strrchr(ret_folder, '/');
        slash[slash == ret_folder] = '\0'; /* the root keeps its own */
        if (access(ret_folder, F_OK) == 0) {
            return true;
        }
    }
    return false;
}

enum place_absence place_absence(const struct place *place)
{
    char folder[PLACE_SOCKET_BYTES];

    if (place->error) {
        return PLACE_IS_THERE;
    }
    return find_folder(place, folder) ? PLACE_NO_SOCKET : PLACE_NO_FOLDER;
}

bool place_is_off(bool is_locked)
{
    char folder[PLACE_SOCKET_BYTES];
    struct off_state state;
    struct place place;

    place_find(&place, PLACE_CLIENTS, is_locked);
    return find_folder(&place, folder) && off_state_load(&state, folder) == 0;
}
