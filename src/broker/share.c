/*
 * How much of a provider's time each user has had.
 *
 * What counts is time of workers, not questions: whoever sends what is slow to scan is served less
 * often than whoever sends what is quick. A user who was away is served like the one whose turn it
 * is, and not first for all the time that it did not use. A user who asks one question after the
 * other is between two of them for a moment; it counts as one who asks for that long, so that its
 * worker is not given away each time.
 *
 * Rows are few. The one that has been quiet for longest goes when another is needed; a user with a
 * worker never loses its row while any other is quiet.
 */
#include "broker/share.h"

static struct share_user *find(const struct share *share, uint32_t uid)
{
    for (size_t i = 0; i < share->n_users; i++) {
        if (share->users[i].uid == uid) {
            return (struct share_user *)&share->users[i];
        }
    }
    return NULL;
}

static bool is_active(const struct share_user *user, uint64_t now_us)
{
    return user->n_running > 0 || now_us - user->last_us < SHARE_ACTIVE_US;
}

/* The row of a user that is not known: a new one, or that of whoever has been quiet for longest. */
static struct share_user *take_row(struct share *share)
{
    struct share_user *quietest = NULL;

    if (share->n_users < SHARE_USERS_MAX) {
        return &share->users[share->n_users++];
    }
    for (size_t i = 0; i < share->n_users; i++) {
        struct share_user *user = &share->users[i];

        if (user->n_running == 0 && (!quietest || user->last_us < quietest->last_us)) {
            quietest = user;
        }
    }
    return quietest; /* there are more rows than workers */
}

void share_nobody_waits(struct share *share)
{
    for (size_t i = 0; i < share->n_users; i++) {
        share->users[i].is_waiting = false;
    }
}

void share_touch(struct share *share, uint32_t uid, uint64_t now_us)
{
    struct share_user *user = find(share, uid);

    if (!user) {
        user = take_row(share);
        *user = (struct share_user){.uid = uid, .had_us = share->floor_us};
    } else if (!is_active(user, now_us) && user->had_us < share->floor_us) {
        user->had_us = share->floor_us;
    }
    user->last_us = now_us;
    user->is_waiting = true;
}

void share_begin(struct share *share, uint32_t uid, uint64_t now_us)
{
    struct share_user *user;
    uint64_t had_us;

    share_touch(share, uid, now_us);
    had_us = share_had_us(share, uid, now_us);
    share->floor_us = had_us > share->floor_us ? had_us : share->floor_us;
    user = find(share, uid);
    user->is_waiting = false; /* more of its parts are counted when they are looked at */
    user->n_running++;
    user->started_us += now_us;
}

void share_end(struct share *share, uint32_t uid, uint64_t started_us, uint64_t now_us)
{
    struct share_user *user = find(share, uid);

    if (!user || user->n_running == 0) {
        return;
    }
    user->n_running--;
    user->started_us -= started_us;
    user->had_us += now_us > started_us ? now_us - started_us : 0;
    user->last_us = now_us;
}

uint64_t share_had_us(const struct share *share, uint32_t uid, uint64_t now_us)
{
    const struct share_user *user = find(share, uid);

    return user ? user->had_us + user->n_running * now_us - user->started_us : share->floor_us;
}

size_t share_n_without(const struct share *share, uint32_t uid, uint64_t now_us)
{
    size_t n = 0;

    for (size_t i = 0; i < share->n_users; i++) {
        const struct share_user *user = &share->users[i];

        n += user->uid != uid && user->n_running == 0 && is_active(user, now_us);
    }
    return n;
}

uint64_t share_quiet_at_us(const struct share *share, uint64_t now_us)
{
    uint64_t first_us = UINT64_MAX;

    for (size_t i = 0; i < share->n_users; i++) {
        const struct share_user *user = &share->users[i];
        uint64_t at_us = user->last_us + SHARE_ACTIVE_US;

        if (user->n_running == 0 && !user->is_waiting && at_us > now_us && at_us < first_us) {
            first_us = at_us;
        }
    }
    return first_us;
}
