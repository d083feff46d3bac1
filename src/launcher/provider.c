/*
 * Keeps one provider running.
 *
 * Each start is a generation with a number of its own. Normally there is one. When definitions or
 * configuration have changed a second is started beside it, and the first goes on serving
 * until the broker has switched and says so (`retire`). If the second fails, the first simply
 * stays and the reason is told; so it does when the broker finds the second worse than the first,
 * and retires that one. A provider that dies unasked is started again after a wait that
 * doubles with each failure and starts over after a minute of health. A module that is refused is
 * not tried again: only a reload can change that.
 *
 * Where memory does not hold two, the swap is serial (launcher/swap.c): the first is ended, then
 * the second is started, and should that fail, what the first was started from is started again.
 *
 * Everything the broker has to know is told through its channel of now; a broker that comes later
 * is told by provider_announce().
 */
#include "launcher/provider.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "launcher/acceptance.h"
#include "launcher/backoff.h"
#include "launcher/config_provider.h"
#include "launcher/generation.h"
#include "launcher/module.h"
#include "launcher/origin.h"
#include "launcher/package.h"
#include "launcher/swap.h"
#include "log/log.h"
#include "sys/clock.h"

/* The broker says `retire` when its last question to an old generation is done. One that never
 * does (it may know the generation no more) must not keep a process for ever: no question may take
 * longer than CONFIG_TIMEOUT_MS_MAX. */
#define RETIRE_LATEST_US ((CONFIG_TIMEOUT_MS_MAX + 60 * 1000) * 1000ull)

struct provider {
    const struct provider_place *place;
    char *name;
    uint32_t uid_index;
    const struct config_provider *config; /* in force; NULL: not wanted */
    struct list generations;              /* oldest first */
    uint64_t last_number;
    uint32_t n_failures; /* in a row */
    uint64_t retry_us;   /* when the timer fires */
    sd_event_source *timer;
    bool is_stopping;
    struct swap swap;
    char why[GENERATION_WHY_BYTES_MAX]; /* it is down */
};

static void start(struct provider *provider);
static void start_when_empty(struct provider *provider);

const char *provider_name(const struct provider *provider)
{
    return provider->name;
}

uint32_t provider_uid_index(const struct provider *provider)
{
    return provider->uid_index;
}

size_t provider_n_generations(const struct provider *provider)
{
    size_t n = 0;

    LIST_FOR_EACH (node, &provider->generations) {
        n++;
    }
    return n;
}

static struct broker_link *link_of(struct provider *provider)
{
    return provider->place->link(provider->place->userdata);
}

/* Whether a generation in this state is there to stay. */
static bool has_one_that(struct provider *provider, enum generation_state state)
{
    LIST_FOR_EACH (node, &provider->generations) {
        const struct generation *generation = CONTAINER_OF(node, struct generation, node);

        if (generation->state == state && !generation->is_retiring) {
            return true;
        }
    }
    return false;
}

/* Plans the end of every generation older than `number`: of one that serves when the broker has let
 * go of it, of others at once. */
static void retire_older(struct provider *provider, uint64_t number)
{
    LIST_FOR_EACH (node, &provider->generations) {
        struct generation *generation = CONTAINER_OF(node, struct generation, node);

        if (generation->number < number && !generation->is_retiring) {
            generation_stop(generation,
                            generation->state == GENERATION_READY ? RETIRE_LATEST_US : 0);
        }
    }
}

/* What must not run any more is not waited for. */
static void end_all(struct provider *provider)
{
    LIST_FOR_EACH (node, &provider->generations) {
        generation_stop(CONTAINER_OF(node, struct generation, node), 0);
    }
}

/* A reload overtook a start: while one serves, a generation that is still loading is not needed. */
static void drop_overtaken(struct provider *provider)
{
    bool one_serves = has_one_that(provider, GENERATION_READY);

    LIST_FOR_EACH (node, &provider->generations) {
        struct generation *generation = CONTAINER_OF(node, struct generation, node);

        if (one_serves && generation->state == GENERATION_STARTING) {
            generation_stop(generation, 0);
        }
    }
}

/* ------------------------------------------------------------------------------------- failures */

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct provider *provider = userdata;

    provider->retry_us = 0;
    start(provider);
    return 0;
}

/* Plans the next start; returns the wait, 0 if there is none. */
static uint32_t plan_retry(struct provider *provider)
{
    uint32_t random = 0;
    uint32_t delay_ms;

    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random)) {
        random = 0; /* without chance: no jitter */
    }
    provider->n_failures++;
    delay_ms = backoff_delay_ms(provider->n_failures, random);
    provider->timer = sd_event_source_disable_unref(provider->timer);
    if (sd_event_add_time_relative(provider->place->event, &provider->timer, CLOCK_MONOTONIC,
                                   delay_ms * 1000ull, 1000, on_timer, provider) < 0) {
        return 0;
    }
    provider->retry_us = clock_now_us() + delay_ms * 1000ull;
    return delay_ms;
}

static uint32_t retry_in_ms(const struct provider *provider)
{
    uint64_t now_us = clock_now_us();

    return provider->retry_us > now_us ? (uint32_t)((provider->retry_us - now_us) / 1000) + 1 : 0;
}

/*
 * The newest generation that was to make room serves on: what was to follow it is gone. Should the
 * broker have switched before that, its `retire` is on the way and settles it. Returns false when
 * there is none.
 */
static bool keep_spare(struct provider *provider)
{
    struct generation *spare = NULL;

    LIST_FOR_EACH (node, &provider->generations) {
        struct generation *generation = CONTAINER_OF(node, struct generation, node);

        if (generation->is_spare) {
            spare = generation; /* oldest first */
        }
    }
    return provider->config && !has_one_that(provider, GENERATION_READY) && spare &&
           generation_keep(spare);
}

/* What was to follow it failed: what served before is started again. "": the broker told why. */
static void restore(struct provider *provider, uint64_t number, const char *why)
{
    char safe[LOG_SAFE_BYTES];

    log_event(LOG_ERR, EV_PROVIDER_FAILED,
              "generation %llu of provider '%s' is given up, what served before is loaded again: "
              "'%s'",
              (unsigned long long)number, provider->name,
              why[0] ? log_safe(why, strlen(why), safe) : "the broker refused it");
    snprintf(provider->why, sizeof(provider->why), "%s", why);
    broker_link_instance_lost(link_of(provider), provider->name, number, why, 1);
    provider->swap.trial = 0;
    provider->swap.is_restoring = true;
    start_when_empty(provider);
}

/* A generation is over or could not begin; it is in no list any more. */
static void lose(struct provider *provider, uint64_t number, const char *why, bool may_retry)
{
    char safe[LOG_SAFE_BYTES];
    uint32_t delay_ms = 0;

    if (provider->swap.trial == number) {
        restore(provider, number, why);
        return;
    }
    log_safe(why, strlen(why), safe);
    if (has_one_that(provider, GENERATION_READY)) {
        log_event(LOG_ERR, EV_PROVIDER_FAILED,
                  "generation %llu of provider '%s' is given up, another one serves: '%s'",
                  (unsigned long long)number, provider->name, safe);
        broker_link_instance_lost(link_of(provider), provider->name, number, why, 0);
        return;
    }
    snprintf(provider->why, sizeof(provider->why), "%s", why);
    if (has_one_that(provider, GENERATION_STARTING)) {
        log_event(LOG_ERR, EV_PROVIDER_LOST, "provider '%s': '%s'; another one is starting",
                  provider->name, safe);
        broker_link_instance_lost(link_of(provider), provider->name, number, why, 1);
        return;
    }
    if (may_retry || provider->swap.is_restoring) {
        delay_ms = plan_retry(provider);
    }
    if (delay_ms > 0) {
        log_event(LOG_ERR, EV_PROVIDER_LOST, "provider '%s': '%s'; starting it again in %u ms",
                  provider->name, safe, delay_ms);
    } else {
        log_event(LOG_ERR, EV_PROVIDER_FAILED,
                  "provider '%s' is not started: '%s'; reload when that is mended", provider->name,
                  safe);
    }
    broker_link_instance_lost(link_of(provider), provider->name, number, why, delay_ms);
}

/* ---------------------------------------------------------------------------------- generations */

static void on_ready(void *userdata, struct generation *ready)
{
    struct provider *provider = userdata;

    log_event(LOG_INFO, EV_PROVIDER_READY, "provider '%s' is ready (generation %llu)",
              provider->name, (unsigned long long)ready->number);
    provider->why[0] = '\0';
    if (ready->number != provider->swap.trial) {
        swap_clear(&provider->swap); /* else the broker may still refuse it */
    }
    retire_older(provider, ready->number);
    provider->place->on_changed(provider->place->userdata);
}

static void on_generation_exit(void *userdata, struct generation *generation, const char *why)
{
    struct provider *provider = userdata;
    bool was_asked = generation->is_retiring;
    uint64_t number = generation->number;

    if (generation->state == GENERATION_READY &&
        clock_now_us() - generation->ready_us >= BACKOFF_HEALTHY_US) {
        provider->n_failures = 0;
    }
    if (!was_asked && number == provider->swap.trial && generation->state == GENERATION_READY) {
        swap_clear(&provider->swap); /* it served: this is a failure like any other */
    }
    generation_free(generation);
    if (provider->swap.is_waiting && !provider->is_stopping && provider->config) {
        start_when_empty(provider);
    } else if (!was_asked && !provider->is_stopping && provider->config) {
        (void)keep_spare(provider);
        lose(provider, number, why, true);
    }
    provider->place->on_changed(provider->place->userdata);
}

static const struct generation_handlers generation_handlers = {
    .on_ready = on_ready,
    .on_exit = on_generation_exit,
};

/* The newest one in this state that is there to stay, or NULL. */
static struct generation *newest_of(struct provider *provider, enum generation_state state)
{
    struct generation *newest = NULL;

    LIST_FOR_EACH (node, &provider->generations) {
        struct generation *generation = CONTAINER_OF(node, struct generation, node);

        if (generation->state == state && !generation->is_retiring) {
            newest = generation;
        }
    }
    return newest;
}

/* Whether what is to be started may find less than what serves, or made room for it. */
static bool is_accepted(struct provider *provider, const struct config_provider *origin)
{
    const struct generation *serving = newest_of(provider, GENERATION_READY);
    const struct config_provider *before = serving                     ? &serving->origin
                                           : provider->swap.has_before ? &provider->swap.before
                                                                       : NULL;

    return acceptance_covers(origin->definitions, before ? before->definitions : NULL);
}

/* Tells of a generation that goes on: over a channel of its own, made here. */
static int tell_again(struct provider *provider, struct generation *generation,
                      struct broker_link *link, bool is_beside)
{
    int broker_end;
    int r = generation_new_broker(generation, is_beside, &broker_end);

    if (r == 0) {
        broker_link_instance(link, provider->name, generation->number, generation->is_restored,
                             generation->is_accepted, broker_end);
    }
    return r;
}

/* Tells of a generation that was just started; a broker beside that of now, too. */
static void tell_new(struct provider *provider, struct generation *generation, int broker_end)
{
    struct broker_link *link = link_of(provider);
    struct broker_link *beside = broker_link_beside(link);

    broker_link_instance(link, provider->name, generation->number, generation->is_restored,
                         generation->is_accepted, broker_end);
    if (beside) {
        (void)!tell_again(provider, generation, beside, true); /* then it does without */
    }
}

/* `origin` becomes the generation's. */
static int start_generation(struct provider *provider, uint64_t number, int module,
                            struct config_provider *origin, const struct fingerprint *fingerprint,
                            char why[GENERATION_WHY_BYTES_MAX])
{
    const struct provider_place *place = provider->place;
    struct generation *generation;
    char program[PATH_MAX];
    char host[PATH_MAX];
    int broker_end;
    int r;
    struct generation_plan plan = {
        .event = place->event,
        .number = number,
        .name = provider->name,
        .program = program,
        .host = host,
        .module = module,
        .n_slots = (uint32_t)origin->n_workers,
        .definitions = origin->definitions,
        .options = origin->options.items,
        .n_options = origin->options.n,
        .memory_mib = (uint32_t)origin->memory_mib,
        .scratch_mib = (uint32_t)origin->scratch_mib,
        .min_tier = (uint32_t)place->config->min_tier,
        .load_timeout_ms = origin->load_timeout_ms,
        .sets_user = place->is_system,
        .uid = (uint32_t)place->config->provider_base + provider->uid_index,
    };

    if (paths_join(program, place->paths->libexec, "pes-init") < 0 ||
        paths_join(host, place->paths->libexec, "pes-host") < 0) {
        snprintf(why, GENERATION_WHY_BYTES_MAX, "the path to pes-init is too long");
        return -ENAMETOOLONG;
    }
    r = generation_new(&generation, &plan, &generation_handlers, provider, &broker_end, why);
    if (r < 0) {
        return r;
    }
    generation->fingerprint = *fingerprint;
    generation->is_accepted = is_accepted(provider, origin);
    generation->origin = *origin;
    config_provider_init(origin);
    generation->is_restored = provider->swap.is_restoring;
    list_append(&provider->generations, &generation->node);
    log_event(LOG_INFO, EV_PROVIDER_STARTED, "provider '%s' is starting (generation %llu)",
              provider->name, (unsigned long long)number);
    tell_new(provider, generation, broker_end);
    return 0;
}

/* Why the configuration does not let this module run; false when it does. */
static bool is_refused(const struct provider *provider, const char *module,
                       char why[GENERATION_WHY_BYTES_MAX])
{
    const struct provider_place *place = provider->place;

    if (!place->config->allows_unsigned && !package_is_named(module)) {
        snprintf(why, GENERATION_WHY_BYTES_MAX,
                 "its module is not signed; start pesd with --allow-unsigned, or set "
                 "allow-unsigned, to run it nevertheless");
        return true;
    }
    if (place->tier < (int)place->config->min_tier) {
        snprintf(why, GENERATION_WHY_BYTES_MAX,
                 "its sandbox would be of tier T%d, and min-tier is %llu; `pes status` shows what "
                 "there is: allow what is missing (user namespaces, Landlock), or lower min-tier",
                 place->tier, (unsigned long long)place->config->min_tier);
        return true;
    }
    return false;
}

/* Nor may one go on that was allowed before. */
static void forbid(struct provider *provider, uint64_t number, const char *why)
{
    LIST_FOR_EACH (node, &provider->generations) {
        const struct generation *generation = CONTAINER_OF(node, struct generation, node);

        broker_link_instance_lost(link_of(provider), provider->name, generation->number, why, 0);
    }
    end_all(provider);
    if (provider->swap.is_restoring) {
        swap_clear(&provider->swap); /* nor what served before it */
    }
    lose(provider, number, why, false);
}

/* In memory that nobody can change. */
static int load_module(const struct provider *provider, const char *path, int *ret_fd, char *why)
{
    const struct provider_place *place = provider->place;
    const struct package_place of_packages = {
        .paths = place->paths,
        .config_folder = place->config_folder,
        .is_system = place->is_system,
        .verify_uid = place->config->receiver.uid,
    };

    return package_is_named(path) ? package_load(&of_packages, path, provider->name, ret_fd, why)
                                  : module_load(path, place->is_system, ret_fd, why);
}

static void start(struct provider *provider)
{
    CLEANUP(config_provider_fini) struct config_provider origin;
    CLEANUP(closep) int module = -1;
    struct swap *swap = &provider->swap;
    const struct config_provider *from = swap->is_restoring ? &swap->before : provider->config;
    char why[GENERATION_WHY_BYTES_MAX] = "out of memory";
    uint64_t number = ++provider->last_number;
    struct fingerprint fingerprint;
    int r;

    config_provider_init(&origin);
    if (is_refused(provider, from->module, why)) {
        forbid(provider, number, why);
        return;
    }
    if (swap->has_before && !swap->is_restoring) {
        swap->trial = number;
    }
    /* Taken before anything of it is read: what changes later makes a difference the next time. */
    r = origin_take(&origin, from);
    if (r == 0) {
        fingerprint = fingerprint_take(&origin, provider->place->config_folder);
        r = load_module(provider, origin.module, &module, why);
    }
    if (r == MODULE_E_REVOKED) {
        forbid(provider, number, why);
        return;
    }
    if (r == 0) {
        r = start_generation(provider, number, module, &origin, &fingerprint, why);
    }
    if (r != 0) {
        lose(provider, number, why, r != MODULE_E_REFUSED);
    }
}

static void start_when_empty(struct provider *provider)
{
    provider->swap.is_waiting = !list_is_empty(&provider->generations);
    if (!provider->swap.is_waiting) {
        start(provider);
    }
}

/* Whether one in this state was started from just what there is now. */
static bool is_started_from(struct provider *provider, enum generation_state state)
{
    CLEANUP(config_provider_fini) struct config_provider origin;
    struct fingerprint now = {0};

    config_provider_init(&origin);
    if (origin_take(&origin, provider->config) == 0) {
        now = fingerprint_take(&origin, provider->place->config_folder);
    }
    LIST_FOR_EACH (node, &provider->generations) {
        const struct generation *generation = CONTAINER_OF(node, struct generation, node);

        if (generation->state == state && !generation->is_retiring &&
            fingerprint_is_equal(&generation->fingerprint, &now)) {
            return true;
        }
    }
    return false;
}

/* Ends what there is, and starts the next one after that. Returns false when there is room. */
static bool make_room(struct provider *provider)
{
    struct generation *serving = newest_of(provider, GENERATION_READY);
    char why[GENERATION_WHY_BYTES_MAX];

    if (!serving) { /* one that only starts makes room if what it followed had to */
        if (!provider->swap.has_before || list_is_empty(&provider->generations)) {
            return false;
        }
    } else {
        if (!swap_is_needed((enum config_swap)provider->config->swap, serving, why) ||
            swap_remember(&provider->swap, serving) < 0) {
            swap_clear(&provider->swap); /* of a swap that went well */
            return false;
        }
        log_event(LOG_NOTICE, EV_PROVIDER_SWAP, "generation %llu of provider '%s' is ended: %s",
                  (unsigned long long)serving->number, provider->name, why);
        broker_link_makes_room(link_of(provider), provider->name, serving->number, why);
    }
    provider->swap.trial = 0;
    provider->swap.is_restoring = false;
    end_all(provider);
    start_when_empty(provider);
    return true;
}

/* --------------------------------------------------------------------------------- from outside */

int provider_new(struct provider **ret, const struct provider_place *place, const char *name,
                 uint32_t uid_index)
{
    CLEANUP(provider_freep) struct provider *provider = calloc(1, sizeof(*provider));

    if (!provider) {
        return -ENOMEM;
    }
    provider->place = place;
    provider->uid_index = uid_index;
    list_init(&provider->generations);
    provider->name = strdup(name);
    if (!provider->name) {
        return -ENOMEM;
    }
    *ret = TAKE_PTR(provider);
    return 0;
}

void provider_free(struct provider *provider)
{
    if (!provider) {
        return;
    }
    LIST_FOR_EACH (node, &provider->generations) {
        generation_free(CONTAINER_OF(node, struct generation, node));
    }
    sd_event_source_disable_unref(provider->timer);
    swap_clear(&provider->swap);
    free(provider->name);
    free(provider);
}

void provider_start(struct provider *provider, const struct config_provider *config)
{
    char why[GENERATION_WHY_BYTES_MAX];
    bool may_start;

    provider->config = config;
    provider->n_failures = 0;
    provider->timer = sd_event_source_disable_unref(provider->timer);
    provider->retry_us = 0;
    may_start = !is_refused(provider, config->module, why);
    if (may_start && is_started_from(provider, GENERATION_READY)) {
        drop_overtaken(provider);
    } else if (!may_start || !is_started_from(provider, GENERATION_STARTING)) {
        drop_overtaken(provider);
        if (!make_room(provider)) {
            start(provider);
        }
    }
}

void provider_retire_all(struct provider *provider)
{
    provider->config = NULL;
    provider->timer = sd_event_source_disable_unref(provider->timer);
    provider->retry_us = 0;
    swap_clear(&provider->swap);
    retire_older(provider, UINT64_MAX);
}

void provider_announce(struct provider *provider, struct broker_link *link, bool is_beside)
{
    bool is_up = false;

    if (!provider->config) {
        return;
    }
    LIST_FOR_EACH (node, &provider->generations) {
        struct generation *generation = CONTAINER_OF(node, struct generation, node);

        if (generation->is_retiring) {
            if (!is_beside) {
                generation_stop(generation, 0); /* this broker never knew it */
            }
        } else if (tell_again(provider, generation, link, is_beside) == 0) {
            is_up = true;
        } else if (!is_beside) {
            child_kill(generation->init, SIGKILL); /* it does not listen any more */
        }
    }
    if (!is_up && provider->why[0] != '\0') {
        broker_link_instance_lost(link, provider->name, provider->last_number, provider->why,
                                  retry_in_ms(provider));
    }
}

bool provider_is_changing(const struct provider *provider)
{
    size_t n = 0;

    LIST_FOR_EACH (node, &provider->generations) {
        const struct generation *generation = CONTAINER_OF(node, struct generation, node);

        if (generation->is_retiring ||
            (generation->state == GENERATION_STARTING && provider->n_failures == 0)) {
            return true;
        }
        n++;
    }
    return n > 1 || provider->swap.is_waiting;
}

void provider_retire(struct provider *provider, uint64_t number)
{
    LIST_FOR_EACH (node, &provider->generations) {
        struct generation *generation = CONTAINER_OF(node, struct generation, node);

        if (generation->number == number) {
            generation_stop(generation, 0);
        }
    }
    if (!provider->config || provider->is_stopping || has_one_that(provider, GENERATION_READY) ||
        keep_spare(provider) || has_one_that(provider, GENERATION_STARTING) ||
        provider->retry_us > 0) {
        return;
    }
    lose(provider, number,
         number == provider->swap.trial ? "" : "the broker could not use it, and there is no other",
         true);
}

void provider_stop(struct provider *provider)
{
    provider->is_stopping = true;
    provider->timer = sd_event_source_disable_unref(provider->timer);
    end_all(provider);
}

void provider_kill(struct provider *provider)
{
    LIST_FOR_EACH (node, &provider->generations) {
        child_kill(CONTAINER_OF(node, struct generation, node)->init, SIGKILL);
    }
}
