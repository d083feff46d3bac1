/*
 * Providers: who takes what, and who gets the next part.
 *
 * Parts wait in line and are given to a worker as soon as one may take them. Users are served, not
 * parts: first comes whoever has the fewest workers at work, among equals whoever has had the least
 * of the provider's time (share.c), then whoever stands first, and whoever was served stands last
 * again with all that he has. A user gets another worker only while one is left for each user who
 * asks, or did a moment ago, and has none. So neither many questions nor slow ones keep anybody
 * else waiting, as long as there are workers enough for all; and after that for no longer than one
 * scan per user.
 *
 * What a part means for its question is question.c's; what a generation goes through is
 * instance.c's; starting providers is the launcher's.
 */
#include "broker/provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/safe_text.h"
#include "broker/content.h"
#include "broker/core.h"
#include "broker/instance.h"
#include "broker/question.h"
#include "broker/session.h"
#include "broker/slot.h"
#include "wire/name_table.h"

#define LOG_WINDOW_US   UINT64_C(1000000)
#define LOGS_PER_WINDOW 10u

void provider_init(struct provider *provider, uint32_t index)
{
    *provider = (struct provider){.index = index, .kept = TIMER_INIT(TIMER_PROVIDER)};
    list_init(&provider->instances);
    list_init(&provider->waiting);
}

void provider_fini(struct provider *provider, struct core *core)
{
    core_disarm(core, &provider->kept);
    LIST_FOR_EACH (node, &provider->instances) {
        instance_free(core, CONTAINER_OF(node, struct instance, node));
    }
}

struct instance *provider_serving(const struct provider *provider)
{
    LIST_FOR_EACH (node, &provider->instances) {
        struct instance *instance = CONTAINER_OF(node, struct instance, node);

        if (instance->state == INSTANCE_READY) {
            return instance;
        }
    }
    return NULL;
}

bool provider_takes(const struct provider *provider, uint32_t kind)
{
    if (!provider->is_configured || provider->is_off) {
        return false;
    }
    return !provider->has_kinds || (kind < 128 && (provider->kinds[kind / 64] >> (kind % 64) & 1));
}

bool provider_takes_beginning(const struct provider *provider, uint32_t kind)
{
    const struct instance *instance = provider_serving(provider);

    return instance && instance->takes_beginnings && provider_takes(provider, kind);
}

uint32_t provider_absence(const struct provider *provider)
{
    return provider->state == PES_PROVIDER_STATE_RESTARTING ? PES_STATUS_RESTARTING
                                                            : PES_STATUS_NOT_READY;
}

bool provider_may_log(struct provider *provider, uint64_t now_us)
{
    if (now_us - provider->log_window_us >= LOG_WINDOW_US) {
        provider->log_window_us = now_us;
        provider->n_logged = 0;
    }
    return provider->n_logged++ < LOGS_PER_WINDOW;
}

static void fill_verified(const struct session *session, struct wire_scan *scan)
{
    const struct identity_record *identity = &session->identity;
    const struct {
        uint32_t field;
        uint64_t value;
        const char *text;
    } fields[] = {
        {PES_VERIFIED_UID, session->peer.uid, NULL},
        {PES_VERIFIED_GID, session->peer.gid, NULL},
        {PES_VERIFIED_PID, session->peer.pid, NULL},
        {PES_VERIFIED_START_TIME, identity->start_time, NULL},
        {PES_VERIFIED_EXE_DEVICE, identity->exe_device, NULL},
        {PES_VERIFIED_EXE_INODE, identity->exe_inode, NULL},
        {PES_VERIFIED_EXE_PATH, 0, identity->exe_path},
        {PES_VERIFIED_CGROUP, 0, identity->cgroup},
        {PES_VERIFIED_LSM_LABEL, 0, identity->lsm_label},
    };

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        struct wire_item *item = &scan->verified[scan->n_verified];

        if (fields[i].value == 0 && (!fields[i].text || !fields[i].text[0])) {
            continue;
        }
        *item = (struct wire_item){.field = fields[i].field, .value = fields[i].value};
        if (fields[i].text) {
            item->text = wire_text(fields[i].text);
        }
        scan->n_verified++;
    }
}

static void start_part(struct core *core, struct instance *instance, struct slot *slot,
                       struct part *part, uint64_t now_us)
{
    struct question *question = part->question;
    struct wire_scan *scan = &core->outgoing->scan;
    struct action *action;

    list_remove(&part->node);
    part->state = PART_RUNNING;
    part->instance = instance;
    part->slot = slot;
    part->id = ++core->last_part_id;
    part->started_us = now_us;
    memcpy(part->version, instance->version, sizeof(part->version));
    memcpy(part->definitions, instance->definitions, sizeof(part->definitions));
    part->n_bytes = part->is_of_beginning ? content_beginning_bytes(question->content)
                                          : question_content_bytes(question);
    share_begin(&part->provider->share, question->session->peer.uid, now_us);
    slot->part = part;
    slot->has_uid = true;
    slot->uid = question->session->peer.uid;

    *scan = (struct wire_scan){
        .id = part->id,
        .kind = question->ask.kind,
        .schema_version = question->ask.schema_version,
        .time_left_us = part->deadline_us > now_us ? part->deadline_us - now_us : 1,
        .flags = question->ask.flags,
        .content = question->ask.content,
        .content_bytes = part->n_bytes,
        .n_context = question->ask.n_context,
    };
    memcpy(scan->context, question->ask.context, scan->n_context * sizeof(scan->context[0]));
    fill_verified(question->session, scan);
    action = action_list_add_message(core->actions, ACTION_WORKER_SEND, WIRE_TYPE_SCAN, scan);
    action->instance = instance->handle;
    action->slot = slot->index;
    action->generation = slot->generation;
    action->content = question->content ? question->content->handle : 0;

    if (!part->is_of_beginning) {
        part_count(part);
    }
}

static uint32_t uid_of(const struct part *part)
{
    return part->question->session->peer.uid;
}

static bool is_background(const struct part *part)
{
    return part->question->ask.latency == PES_LATENCY_BACKGROUND;
}

void provider_queue(struct provider *provider, struct part *part)
{
    struct list *before = &provider->waiting;

    LIST_FOR_EACH (node, &provider->waiting) {
        const struct part *other = CONTAINER_OF(node, struct part, node);

        /* Only a user's own: how urgent one says to be is nothing to another. */
        if (uid_of(other) == uid_of(part) && is_background(other) && !is_background(part)) {
            before = node;
            break;
        }
    }
    list_append(before, &part->node);
}

static size_t n_claimed_by(const struct list *claims, uint32_t uid)
{
    size_t n = 0;

    LIST_FOR_EACH (claim, claims) {
        n += uid_of(CONTAINER_OF(claim, struct part, node)) == uid;
    }
    return n;
}

/* Workers that nobody has, and nobody is being given. */
static size_t n_unclaimed(const struct instance *instance, const struct list *claims)
{
    size_t n = 0;

    for (size_t i = 0; i < instance->n_slots; i++) {
        n += !instance->slots[i].part;
    }
    LIST_FOR_EACH (claim, claims) {
        /* Who has none yet counts as one that a worker is kept for. */
        n -= n > 0 && slot_n_busy(instance, uid_of(CONTAINER_OF(claim, struct part, node))) > 0;
    }
    return n;
}

/* Who is next: `claims` are parts that a worker is being replaced for. `ret_kept`: a worker could
 * take somebody, and is kept for somebody else. */
static struct part *first_in_line(const struct provider *provider, const struct instance *instance,
                                  const struct list *claims, uint64_t now_us, bool *ret_kept)
{
    struct part *first = NULL;
    size_t n_least = SIZE_MAX, n_free = n_unclaimed(instance, claims);
    uint64_t least_us = UINT64_MAX;

    LIST_FOR_EACH (node, &provider->waiting) {
        struct part *part = CONTAINER_OF(node, struct part, node);
        uint32_t uid = uid_of(part);
        size_t n_held = slot_n_busy(instance, uid) + n_claimed_by(claims, uid);
        uint64_t had_us = share_had_us(&provider->share, uid, now_us);

        if (n_held > 0 && n_free <= share_n_without(&provider->share, uid, now_us)) {
            *ret_kept = true;
            continue;
        }
        if (n_held < n_least || (n_held == n_least && had_us < least_us)) {
            first = part;
            n_least = n_held;
            least_us = had_us;
        }
    }
    return first;
}

/* Whoever waits counts as asking. */
static void touch_waiting(struct provider *provider, uint64_t now_us)
{
    share_nobody_waits(&provider->share);
    LIST_FOR_EACH (node, &provider->waiting) {
        share_touch(&provider->share, uid_of(CONTAINER_OF(node, struct part, node)), now_us);
    }
}

/* Looks again when whoever a worker is kept for has been quiet for long enough. */
static void look_again(struct core *core, struct provider *provider, uint64_t now_us)
{
    uint64_t at_us = share_quiet_at_us(&provider->share, now_us);

    if (at_us != UINT64_MAX && core_arm(core, &provider->kept, at_us) < 0) {
        core->actions->is_broken = true;
    }
}

/* Puts all that a user has at the end of the line. */
static void stand_last(struct provider *provider, uint32_t uid)
{
    struct list parts = LIST_INIT(parts);

    LIST_FOR_EACH (node, &provider->waiting) {
        if (uid_of(CONTAINER_OF(node, struct part, node)) == uid) {
            list_remove(node);
            list_append(&parts, node);
        }
    }
    LIST_FOR_EACH (node, &parts) {
        list_remove(node);
        list_append(&provider->waiting, node);
    }
}

void provider_dispatch(struct core *core, struct provider *provider, uint64_t now_us)
{
    struct instance *instance = provider_serving(provider);
    struct list claims = LIST_INIT(claims);
    struct list *front;
    struct part *part;
    size_t n_coming;
    bool is_kept = false;

    if (!instance) {
        return;
    }
    touch_waiting(provider, now_us);
    n_coming = slot_n_coming(instance);
    while (slot_any_free(instance) &&
           (part = first_in_line(provider, instance, &claims, now_us, &is_kept))) {
        uint32_t uid = uid_of(part);
        struct slot *slot = slot_find(instance, uid);

        if (slot) {
            start_part(core, instance, slot, part, now_us);
            stand_last(provider, uid);
            continue;
        }
        /* All free workers are other users': one that comes is for this part, or one is made to. */
        list_remove(&part->node);
        list_append(&claims, &part->node);
        if (n_coming > 0) {
            n_coming--;
        } else {
            slot_recycle(core, instance);
        }
    }
    front = provider->waiting.next;
    LIST_FOR_EACH (node, &claims) {
        list_remove(node);
        list_append(front, node); /* before what is first now */
    }
    if (is_kept) {
        look_again(core, provider, now_us);
    }
}

void provider_review_waiting(struct core *core, struct provider *provider, uint64_t now_us)
{
    LIST_FOR_EACH (node, &provider->waiting) {
        struct part *part = CONTAINER_OF(node, struct part, node);

        if (part->is_of_beginning ? !provider_takes_beginning(provider, part->question->ask.kind)
                                  : !provider_takes(provider, part->question->ask.kind)) {
            part_finish(core, part, PES_STATUS_NOT_COMPETENT, now_us);
        }
    }
}

void provider_abandon(struct core *core, struct part *part)
{
    struct slot *slot = part->slot;

    if (part->state == PART_WAITING) {
        list_remove(&part->node);
        return;
    }
    if (!slot) {
        return;
    }
    slot->part = NULL;
    part->slot = NULL;
    if (slot->state != SLOT_DYING) {
        slot_kill(core, part->instance, slot);
    }
}

void provider_count_timeout(struct core *core, const struct part *part, uint64_t now_us)
{
    struct provider *provider = part->provider;
    const struct session *session = part->question->session;
    const struct kind_info *kind = kind_by_number(part->question->ask.kind);

    provider->stats.n_timeouts++;
    histogram_add(&provider->stats.latency, now_us - part->queued_us);
    if (provider_may_log(provider, now_us)) {
        action_list_log(core->actions, LOG_WARNING, EV_WORKER_TIMEOUT,
                        "a worker of provider '%s' %s (definitions '%s') did not answer a question "
                        "of uid %u (kind %s) within %llu ms and was ended",
                        provider->name, part->version, part->definitions, session->peer.uid,
                        kind ? kind->name : "unknown",
                        (unsigned long long)(now_us - part->started_us) / 1000u);
    }
}

int provider_add_instance(struct core *core, struct provider *provider, uint32_t handle,
                          const struct wire_instance *message)
{
    uint64_t generation = message->generation;
    struct instance *instance = calloc(1, sizeof(*instance));
    int r;

    if (!instance) {
        return -ENOMEM;
    }
    *instance = (struct instance){
        .provider = provider,
        .handle = handle,
        .generation = generation,
        .is_restored = message->is_restored == 1,
        .is_accepted = message->is_accepted == 1,
        .n_slots = provider->n_workers,
        .respawn = TIMER_INIT(TIMER_INSTANCE),
    };
    for (size_t i = 0; i < instance->n_slots; i++) {
        instance->slots[i].index = (uint32_t)i;
    }
    r = handles_set(&core->instances, handle, instance);
    if (r < 0) {
        free(instance);
        return r;
    }
    list_append(&provider->instances, &instance->node);
    if (generation > provider->newest_generation) {
        provider->newest_generation = generation;
    }
    if (provider->state != PES_PROVIDER_STATE_RESTARTING) {
        provider->state = PES_PROVIDER_STATE_STARTING;
    }
    return 0;
}

void provider_release_waiting(struct core *core, struct provider *provider, uint64_t now_us)
{
    LIST_FOR_EACH (node, &provider->waiting) {
        part_finish(core, CONTAINER_OF(node, struct part, node), provider_absence(provider),
                    now_us);
    }
}

void provider_set_reason(struct provider *provider, uint64_t generation, const char *text,
                         size_t n_text)
{
    const struct instance *serving = provider_serving(provider);
    int n = 0;

    if (generation > provider->refused_generation) {
        provider->refused_generation = generation;
    }
    if (generation > provider->newest_generation) {
        provider->newest_generation = generation;
    }
    if (serving && generation < serving->generation) {
        return; /* what became of an older one is of no interest any more */
    }
    if (serving && generation > serving->generation) {
        n = snprintf(provider->reason, sizeof(provider->reason),
                     "a newer generation was given up, this one goes on: ");
    } else if (!serving && provider->made_room.is_known) {
        n = snprintf(provider->reason, sizeof(provider->reason),
                     "a newer generation was given up, the one before is loaded again: ");
    }
    safe_text(provider->reason + n, sizeof(provider->reason) - (size_t)n, text, n_text);
}

void provider_lost_instance(struct core *core, struct provider *provider, uint64_t generation,
                            const char *reason, bool will_retry, uint64_t now_us)
{
    LIST_FOR_EACH (node, &provider->instances) {
        struct instance *instance = CONTAINER_OF(node, struct instance, node);

        if (instance->generation == generation) {
            instance_on_init_closed(core, instance, now_us);
            break;
        }
    }
    if (reason[0]) {
        provider_set_reason(provider, generation, reason, strlen(reason));
    }
    if (!provider_serving(provider)) {
        provider->state = will_retry && provider->has_kinds ? PES_PROVIDER_STATE_RESTARTING
                                                            : PES_PROVIDER_STATE_FAILED;
        provider_release_waiting(core, provider, now_us);
    }
}
