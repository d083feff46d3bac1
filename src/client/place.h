/* Where the broker listens and where the client policy is. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#define PLACE_SOCKETS_MAX        2
#define PLACE_SOCKET_BYTES       108 /* sun_path, unix(7) */
#define PLACE_SYSTEM_RUNTIME_DIR "/run/pes"

struct place {
    char sockets[PLACE_SOCKETS_MAX][PLACE_SOCKET_BYTES]; /* to be tried in turn */
    size_t n_sockets;
    const char *error; /* why PES_RUNTIME_DIR cannot be used, or NULL */
};

/* How much of a service is there. */
enum place_absence {
    PLACE_IS_THERE = 0, /* a socket, whoever listens */
    PLACE_NO_SOCKET,
    PLACE_NO_FOLDER, /* nor a folder for one */
};

#define PLACE_CLIENTS "pes.sock"
#define PLACE_ADMINS  "admin.sock"

/*
 * The places of socket `name`. With PES_RUNTIME_DIR only that, unless `is_locked`; else the
 * system's, then the user's. A PES_RUNTIME_DIR that cannot be used leaves no place and an `error`;
 * another name that does not fit a socket address is left out.
 */
void place_find(struct place *ret_place, const char *name, bool is_locked);

/* What it means that no place has a socket. One that was named wrongly counts as there: whoever
 * named it has the service installed. */
enum place_absence place_absence(const struct place *place);

/* Whether an administrator has switched pes off for a while (`pes off`), as the folder of the
 * service says that would be asked. */
bool place_is_off(bool is_locked);
