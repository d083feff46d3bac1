/* The runtime folder and the two listening sockets in it. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct sockets {
    int folder;          /* open */
    int lock;            /* held: nobody else may serve here. The file stays when we end */
    int client;          /* listening; pes.sock */
    int admin;           /* listening; admin.sock */
    bool client_is_ours; /* we made it, so we remove it */
    bool admin_is_ours;
    char path[PATH_MAX]; /* of the folder */
};

#define SOCKETS_INIT                                                                               \
    {                                                                                              \
        .folder = -1, .lock = -1, .client = -1, .admin = -1                                        \
    }

#define SOCKETS_WHY_BYTES_MAX 512

enum sockets_outcome {
    SOCKETS_E_REFUSED = 1, /* the text says why, and what to do */
};

/*
 * Takes the sockets that a service manager passed (names "client" and "admin"), and makes those
 * that are missing in `folder`, which is created if need be. With `is_system` everybody may look
 * into it, else its owner alone. Returns 0, SOCKETS_E_REFUSED, or -errno (a text is written then,
 * too).
 */
MUST_CHECK int sockets_open(struct sockets *sockets, const char *folder, bool is_system,
                            char ret_why[SOCKETS_WHY_BYTES_MAX]);

/* Has the kernel keep clients' descriptors out; false when it cannot (before 6.16). */
bool sockets_refuse_descriptors(struct sockets *sockets);

/* Removes the sockets from the folder: nobody finds us any more. They stay open. */
void sockets_unlink(struct sockets *sockets);

/* Closes everything, and removes what is still there. */
void sockets_fini(struct sockets *sockets);
