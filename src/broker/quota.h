/*
 * What each user may make the broker hold. Everything that is held for a user is a charge; a charge
 * that is not given back shows at the end, since a user with charges cannot be dropped.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/list.h"

enum quota_kind {
    QUOTA_SESSIONS = 0,
    QUOTA_QUESTIONS = 1,
    QUOTA_BYTES = 2,  /* content and questions */
    QUOTA_OUTBOX = 3, /* bytes of answers that a client does not read */
    QUOTA_LENT = 4,   /* descriptors on their way to a client */
};
#define QUOTA_N_KINDS 5

#define QUOTA_E_EXCEEDED 1

struct quota_user {
    struct list node;
    uint32_t uid;
    size_t n_charges;
    uint64_t used[QUOTA_N_KINDS];
};

struct quota {
    struct list users;
    uint64_t limit[QUOTA_N_KINDS];       /* per user */
    uint64_t total_limit[QUOTA_N_KINDS]; /* of all users together */
    uint64_t total[QUOTA_N_KINDS];
};

struct quota_charge {
    struct quota *quota;
    struct quota_user *user;
    enum quota_kind kind;
    uint64_t amount;
};

#define QUOTA_CHARGE_INIT                                                                          \
    {                                                                                              \
        0                                                                                          \
    }

void quota_init(struct quota *quota);
void quota_fini(struct quota *quota);

/* Adds to a charge of one user and kind. Returns 0, QUOTA_E_EXCEEDED (nothing was charged) or
 * -ENOMEM. */
MUST_CHECK int quota_charge(struct quota_charge *charge, struct quota *quota, uint32_t uid,
                            enum quota_kind kind, uint64_t amount);

/* Gives a part of a charge back. */
void quota_credit(struct quota_charge *charge, uint64_t amount);

/* Gives all of it back. */
/* All that `from` holds is held by `to` from now on: of the same user, for the same thing. */
void quota_move(struct quota_charge *from, struct quota_charge *to);

void quota_charge_fini(struct quota_charge *charge);

/* Name for people, static. */
const char *quota_kind_name(enum quota_kind kind);
