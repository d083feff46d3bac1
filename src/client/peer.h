/* Whether whoever listens on the socket is a broker that may be believed. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "client/client_policy.h"

struct peer {
    uid_t uid;            /* who called listen(), unix(7) SO_PEERCRED */
    uid_t own_uid;        /* effective */
    uid_t overflow_uid;   /* how the kernel shows users that this user namespace does not have */
    bool is_identity_map; /* every user shows as itself here */
    uid_t socket_owner;   /* of the socket file; overflow_uid without one */
    bool is_folder_ours;  /* we may write to the socket's folder, or there is no knowing */
};

/*
 * Root, the own user, and the user named in the policy. A broker outside our user namespace shows
 * as the overflow uid, as does every other stranger: it is believed only if the socket file is a
 * stranger's, too, and stands in a folder that we cannot write to.
 */
bool peer_is_trusted(const struct peer *peer, const struct client_policy *policy);

/* Collects the facts about the peer of `fd`. `socket_path`: where it was connected to; NULL: where
 * the peer says that it listens. Returns 0 or -errno. */
MUST_CHECK int peer_read(struct peer *ret_peer, int fd, const char *socket_path);

uid_t peer_overflow_uid(void);
bool peer_is_identity_map(void);
