/*
 * An update: staging -> a version of its own -> `current` -> the service tries it -> it stays, or
 * the one before is `current` again.
 *
 * The trial is the service's: a new generation of the provider is started beside the old one, has
 * to prove itself, and takes over or is given up; see docs/definitions.md. Nothing here judges
 * definitions. `pending` is written before `current` is switched and removed after the outcome is
 * known: whoever finds one undoes what it tells of.
 */
#include "definitions/update.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "definitions/import.h"
#include "definitions/service.h"
#include "definitions/store.h"
#include "definitions/tell.h"

#define NONE "none"

struct change {
    const struct update_options *options;
    struct store store;
    struct service service;
    char before[STORE_VERSION_BYTES];
    char after[STORE_VERSION_BYTES];
    bool is_marked; /* `after` was accepted by this change */
};

static void change_fini(struct change *change)
{
    service_fini(&change->service);
    store_fini(&change->store);
}

/* What happened last, for `status`. A store that is full is told of where it matters. */
static void note(const struct change *change, const char *result, const char *version,
                 const char *reason)
{
    char text[STORE_TEXT_BYTES];
    char line[SERVICE_TEXT_BYTES];

    snprintf(line, sizeof(line), "%s", reason);
    for (char *at = line; (at = strchr(at, '\n'));) {
        *at = ' ';
    }
    snprintf(text, sizeof(text), "time %lld\nresult %s\nversion %s\nreason %s\n",
             (long long)time(NULL), result, version, line);
    if (store_text_set(&change->store, "outcome", text) < 0) {
        tell("'%s/outcome' cannot be written", change->store.path);
    }
}

/* When the source was last known to be up to date: its updater says so by touching `.fetched`. */
static void note_fetched(const struct change *change, const char *source)
{
    CLEANUP(closep) int fd = open(source, O_PATH | O_CLOEXEC);
    char text[64];
    struct stat st;
    long long fetched = (long long)time(NULL);

    if (fd >= 0 && fstatat(fd, ".fetched", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        st.st_mtim.tv_sec < fetched) {
        fetched = (long long)st.st_mtim.tv_sec;
    }
    snprintf(text, sizeof(text), "time %lld\n", fetched);
    if (store_text_set(&change->store, "fetched", text) < 0) {
        tell("'%s/fetched' cannot be written", change->store.path);
    }
}

static int fail(const struct change *change, const char *what, int error)
{
    tell("'%s': %s: %s", change->store.path, what, strerror(-error));
    return EXIT_FAILED;
}

/* ------------------------------------------------------------------------------------ the trial */

/* `after`: what was tried; "" keeps its mark. */
static int take_back(const struct change *change, const char *version, const char *after)
{
    int r = store_link_set(&change->store, "current", version);

    if (r == 0 && after[0]) {
        r = store_accepted_set(&change->store, after, NULL);
    }
    return r < 0 ? r : store_text_set(&change->store, "pending", "");
}

/* An update that did not come to its end: nobody knows whether what it brought is any good. */
static int undo_pending(const struct change *change, bool *ret_was_pending)
{
    char text[STORE_TEXT_BYTES];
    char before[STORE_VERSION_BYTES];
    char marked[STORE_VERSION_BYTES];

    store_text_get(&change->store, "pending", text);
    store_text_value(text, "before", before, sizeof(before));
    *ret_was_pending = before[0] != '\0';
    if (!*ret_was_pending) {
        return 0;
    }
    tell("the last change of '%s' was interrupted; it is undone first", change->store.name);
    store_text_value(text, "marked", marked, sizeof(marked));
    return take_back(change, strcmp(before, NONE) == 0 ? "" : before, marked);
}

/* Says beside the version that it may find less, and who said so. */
static int mark_accepted(const struct change *change)
{
    CLEANUP(closep) int fd = open("/proc/self/loginuid", O_RDONLY | O_CLOEXEC);
    char login[16] = "";
    char text[128];

    if (fd < 0 || read(fd, login, sizeof(login) - 1) < 0) {
        login[0] = '\0'; /* a kernel without audit */
    }
    snprintf(text, sizeof(text), "time %lld\nuid %u\nlogin-uid %s\n", (long long)time(NULL),
             geteuid(), login);
    return store_accepted_set(&change->store, change->after, text);
}

static int begin(struct change *change)
{
    char text[STORE_TEXT_BYTES];
    int r;

    change->is_marked =
        change->options->accepts_less && !store_accepted_get(&change->store, change->after);
    snprintf(text, sizeof(text), "before %s\nafter %s\nmarked %s\n",
             change->before[0] ? change->before : NONE, change->after,
             change->is_marked ? change->after : "");
    r = store_text_set(&change->store, "pending", text);
    if (r == 0 && change->is_marked) {
        r = mark_accepted(change);
    }
    return r < 0 ? r : store_link_set(&change->store, "current", change->after);
}

static int keep(const struct change *change, const char *result, const char *text)
{
    int r = 0;

    if (change->before[0] && strcmp(change->before, change->after) != 0) {
        r = store_link_set(&change->store, "previous", change->before);
    }
    r = r < 0 ? r : store_text_set(&change->store, "pending", "");
    if (r < 0) {
        return fail(change, "the change is in force, and cannot be noted", r);
    }
    note(change, result, change->after, text);
    store_prune(&change->store);
    return EXIT_DONE;
}

static int give_up(const struct change *change, const char *text, bool has_serving)
{
    int r = take_back(change, change->before, change->is_marked ? change->after : "");

    if (r < 0) {
        return fail(change, "what was before cannot be put in place again", r);
    }
    if (!has_serving) {
        service_signal(&change->service); /* into what was before */
    }
    tell("the new definitions of '%s' are not used: %s", change->store.name, text);
    note(change, "refused", change->after, text);
    return EXIT_REFUSED;
}

/* Nobody reads them: fine for the first ones, which have to be there before they are configured. */
static int keep_untried(struct change *change)
{
    char text[SERVICE_TEXT_BYTES];

    snprintf(text, sizeof(text),
             "not tried: no provider '%s' reads them; set definitions = \"%.400s/current\"",
             change->store.name, change->store.path);
    if (change->before[0]) {
        return give_up(change, text, true);
    }
    tell("%s", text);
    return keep(change, "untried", text);
}

static int try_out(struct change *change, const char *result)
{
    char text[SERVICE_TEXT_BYTES] = "";
    bool has_serving = false;
    enum service_outcome outcome;
    int r;

    /* Copying takes time, in which a provider that fails is started again and again. */
    if (service_look(&change->service) < 0) {
        tell("the service does not answer any more: nothing was changed");
        return EXIT_FAILED;
    }
    r = begin(change);
    if (r < 0) {
        return fail(change, "the new version cannot be put in place", r);
    }
    outcome = service_reload(&change->service, change->options->timeout_s, text, &has_serving);
    switch (outcome) {
    case SERVICE_SERVES:
        printf("%s: %s, served as '%s'\n", change->store.name, change->after, text);
        return keep(change, result, text);
    case SERVICE_UNCONCERNED:
        return keep_untried(change);
    case SERVICE_LATE:
        has_serving = false; /* it may still take over: what was before has to be told to */
        break;
    case SERVICE_REFUSED:
        break;
    }
    return give_up(change, text, has_serving);
}

/* ------------------------------------------------------------------------------------ the verbs */

static int start(struct change *change, bool needs_service)
{
    const struct update_options *options = change->options;
    char text[SERVICE_TEXT_BYTES];
    bool was_pending;
    bool has_serving;
    int r = store_open(&change->store, options->root, options->name, true);

    if (r < 0) {
        return EXIT_FAILED;
    }
    r = undo_pending(change, &was_pending);
    if (r < 0) {
        return fail(change, "an interrupted change cannot be undone", r);
    }
    store_link_get(&change->store, "current", change->before);
    if (!service_find(&change->service, options->name) && (needs_service || change->before[0])) {
        tell("definitions are tried by the service before they are used: nothing was changed");
        return EXIT_FAILED;
    }
    if (was_pending && change->service.pidfd >= 0) {
        (void)service_reload(&change->service, options->timeout_s, text, &has_serving);
    }
    return EXIT_DONE;
}

static int take(struct change *change, const struct import *import)
{
    char digest[2 * SHA256_DIGEST_BYTES + 1];
    char held[STORE_TEXT_BYTES];

    import_digest(&change->store, change->before, digest);
    store_text_get(&change->store, "held", held);
    if (strcmp(digest, import->digest) == 0) {
        printf("%s: unchanged (%s)\n", change->store.name, change->before);
        store_version_remove(&change->store, import->version);
        note(change, "unchanged", change->before, "");
        return EXIT_DONE;
    }
    if (strcmp(held, import->digest) == 0 && !change->options->is_forced) {
        printf("%s: unchanged; what there is was rolled back, and is taken again with --force\n",
               change->store.name);
        store_version_remove(&change->store, import->version);
        return EXIT_DONE;
    }
    snprintf(change->after, sizeof(change->after), "%s", import->version);
    if (change->service.pidfd >= 0) {
        return try_out(change, "updated");
    }
    if (begin(change) < 0) {
        return fail(change, "the new version cannot be put in place", -EIO);
    }
    return keep_untried(change);
}

int update_run(const struct update_options *options)
{
    CLEANUP(change_fini)
    struct change change = {.options = options, .store = STORE_INIT, .service = SERVICE_INIT};
    char staging[PATH_MAX + sizeof("/staging")];
    const char *source = options->from;
    struct import import;
    int r = start(&change, false);

    if (r != EXIT_DONE) {
        return r;
    }
    if (!source) {
        snprintf(staging, sizeof(staging), "%s/staging", change.store.path);
        source = staging;
    }
    if (import_run(&import, &change.store, source) < 0) {
        note(&change, "failed", "", "what was fetched could not be taken");
        return EXIT_FAILED;
    }
    r = take(&change, &import);
    if (r == EXIT_DONE) {
        note_fetched(&change, source);
    } else {
        store_prune(&change.store);
    }
    return r;
}

int rollback_run(const struct update_options *options)
{
    CLEANUP(change_fini)
    struct change change = {.options = options, .store = STORE_INIT, .service = SERVICE_INIT};
    char digest[2 * SHA256_DIGEST_BYTES + 1];
    int r = start(&change, true);

    if (r != EXIT_DONE) {
        return r;
    }
    store_link_get(&change.store, "previous", change.after);
    if (change.after[0] == '\0' || strcmp(change.after, change.before) == 0) {
        tell("there is no version of '%s' before this one", options->name);
        return EXIT_FAILED;
    }
    r = try_out(&change, "rolled-back");
    import_digest(&change.store, change.before, digest);
    if (r == EXIT_DONE && store_text_set(&change.store, "held", digest) < 0) {
        tell("'%s/held' cannot be written: the next update may bring the same definitions again",
             change.store.path);
    }
    return r;
}
