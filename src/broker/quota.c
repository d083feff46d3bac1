/*
 * Charges against users.
 *
 * A user exists while something is charged to it; there are few of them, so that a list will do.
 * The share of one user is bounded by `limit`, that of all by `total_limit`; and no single user may
 * take the last half of what is left of the total, so that whoever comes later still finds room
 * (dbus-broker counts in the same spirit).
 */
#include "broker/quota.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

void quota_init(struct quota *quota)
{
    *quota = (struct quota){0};
    list_init(&quota->users);
    for (size_t i = 0; i < QUOTA_N_KINDS; i++) {
        quota->limit[i] = UINT64_MAX;
        quota->total_limit[i] = UINT64_MAX;
    }
}

void quota_fini(struct quota *quota)
{
    assert(list_is_empty(&quota->users));
}

static struct quota_user *find_user(struct quota *quota, uint32_t uid)
{
    LIST_FOR_EACH (node, &quota->users) {
        struct quota_user *user = CONTAINER_OF(node, struct quota_user, node);

        if (user->uid == uid) {
            return user;
        }
    }
    return NULL;
}

static bool fits(const struct quota *quota, enum quota_kind kind, uint64_t used, uint64_t amount)
{
    uint64_t left_of_total = quota->total_limit[kind] - quota->total[kind];

    if (amount > quota->limit[kind] || used > quota->limit[kind] - amount) {
        return false;
    }
    /* What one user holds after this may not be more than what would be left for all the others. */
    return quota->total_limit[kind] == UINT64_MAX ||
           (amount <= left_of_total && (used + amount <= left_of_total - amount || used == 0));
}

int quota_charge(struct quota_charge *charge, struct quota *quota, uint32_t uid,
                 enum quota_kind kind, uint64_t amount)
{
    struct quota_user *user = charge->user ? charge->user : find_user(quota, uid);

    assert(!charge->user || (charge->user->uid == uid && charge->kind == kind));
    if (!fits(quota, kind, user ? user->used[kind] : 0, amount)) {
        return QUOTA_E_EXCEEDED;
    }
    if (!user) {
        user = calloc(1, sizeof(*user));
        if (!user) {
            return -ENOMEM;
        }
        user->uid = uid;
        list_append(&quota->users, &user->node);
    }
    if (!charge->user) {
        *charge = (struct quota_charge){.quota = quota, .user = user, .kind = kind};
        user->n_charges++;
    }
    charge->amount += amount;
    user->used[kind] += amount;
    quota->total[kind] += amount;
    return 0;
}

void quota_credit(struct quota_charge *charge, uint64_t amount)
{
    if (!charge->user) {
        return;
    }
    assert(amount <= charge->amount);
    charge->amount -= amount;
    charge->user->used[charge->kind] -= amount;
    charge->quota->total[charge->kind] -= amount;
}

void quota_move(struct quota_charge *from, struct quota_charge *to)
{
    assert(from->user && from->user == to->user && from->kind == to->kind);
    to->amount += from->amount;
    from->amount = 0;
}

void quota_charge_fini(struct quota_charge *charge)
{
    struct quota_user *user = charge->user;

    if (!user) {
        return;
    }
    quota_credit(charge, charge->amount);
    if (--user->n_charges == 0) {
        list_remove(&user->node);
        free(user);
    }
    *charge = (struct quota_charge)QUOTA_CHARGE_INIT;
}

const char *quota_kind_name(enum quota_kind kind)
{
    switch (kind) {
    case QUOTA_SESSIONS:
        return "connections";
    case QUOTA_QUESTIONS:
        return "questions under way";
    case QUOTA_BYTES:
        return "bytes of content";
    case QUOTA_OUTBOX:
        return "bytes of unread answers";
    case QUOTA_LENT:
        return "reservations that were not read";
    }
    return "unknown";
}
