/*
 * Loads a configuration: every file of a folder, every mistake told, all or nothing.
 *
 * The caller keeps using the configuration that it has until config_load() has said that the new
 * one is whole. Without a folder there is a built-in configuration: each module of the provider
 * folder under its file's name.
 */
#include "launcher/config.h"

#include <dirent.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "launcher/config_main.h"
#include "launcher/config_provider.h"
#include "launcher/config_text.h"
#include "launcher/config_value.h"

void config_fini(struct config *config)
{
    for (size_t i = 0; i < config->n_providers; i++) {
        config_provider_fini(&config->providers[i]);
    }
    config_main_fini(config);
}

/* ------------------------------------------------------------------------------------------- users
 */

static void resolve_user(struct config_user *user, const char *key, const char *fallback,
                         const char *file, struct problems *problems)
{
    const char *text = user->text ? user->text : fallback;
    char why[CONFIG_VALUE_TEXT_BYTES_MAX];
    char quote[PROBLEMS_QUOTE_BYTES];
    const struct passwd *entry;
    uint64_t uid;

    if (config_value_count(text, 1, 0xfffffff0u, &uid, why) == 0) {
        user->uid = (uint32_t)uid;
        user->gid = (uint32_t)uid;
        return;
    }
    entry = getpwnam(text);
    if (!entry) {
        problems_add(problems, file, user->line,
                     "users { %s }: there is no user '%s'; create it with systemd-sysusers, or "
                     "give another name or a uid",
                     key, problems_quote(text, quote));
        return;
    }
    if (entry->pw_uid == 0) {
        problems_add(problems, file, user->line, "users { %s }: must not be root; give another",
                     key);
    }
    user->uid = entry->pw_uid;
    user->gid = entry->pw_gid;
}

static bool is_provider_uid(const struct config *config, uint32_t uid)
{
    return uid >= config->provider_base && uid < config->provider_base + CONFIG_PROVIDER_UIDS;
}

static void resolve_users(struct config *config, const char *file, struct problems *problems)
{
    size_t n_before = problems->n;

    resolve_user(&config->broker, "broker", "pes-broker", file, problems);
    resolve_user(&config->identity, "identity", "pes-identity", file, problems);
    resolve_user(&config->receiver, "receiver", "pes-receiver", file, problems);
    if (problems->n != n_before) {
        return;
    }
    if (config->broker.uid == config->identity.uid || config->broker.uid == config->receiver.uid ||
        config->identity.uid == config->receiver.uid) {
        problems_add(problems, file, 0,
                     "users { }: broker, identity and receiver must be different users");
    }
    if (is_provider_uid(config, config->broker.uid) ||
        is_provider_uid(config, config->identity.uid) ||
        is_provider_uid(config, config->receiver.uid)) {
        problems_add(problems, file, 0,
                     "users { }: the %d uids from provider-base on are for providers alone; move "
                     "provider-base",
                     CONFIG_PROVIDER_UIDS);
    }
}

/* ------------------------------------------------------------------------------------------- files
 */

static int load_main(struct config *config, const struct config_place *place,
                     struct problems *problems)
{
    CLEANUP(freep) char *text = NULL;
    char file[PATH_MAX];
    size_t n_text;
    int r = paths_join(file, place->folder, "pes.conf");

    if (r < 0) {
        problems_add(problems, place->folder, 0, "this path is too long");
        return 0;
    }
    r = config_text_read(file, place->is_system, problems, &text, &n_text);
    if (r != 0) {
        return r < 0 ? r : 0;
    }
    r = config_main_parse(config, file, text, n_text, problems);
    if (r == 0 && place->is_system) {
        resolve_users(config, file, problems);
    }
    return r;
}

static void check_unique(const struct config *config, const struct config_provider *provider,
                         struct problems *problems)
{
    for (size_t i = 0; i < config->n_providers; i++) {
        const struct config_provider *other = &config->providers[i];

        if (strcmp(other->name, provider->name) == 0) {
            problems_add(problems, provider->file, 0,
                         "provider '%s' is configured in %s already; give another name",
                         provider->name, other->file);
        }
    }
}

static int load_provider(struct config *config, const struct config_place *place, const char *file,
                         struct problems *problems)
{
    struct config_provider *provider;
    CLEANUP(freep) char *text = NULL;
    size_t n_text;
    int r;

    if (config->n_providers == CONFIG_PROVIDERS_MAX) {
        problems_add(problems, file, 0, "is one provider too many; %d may be configured",
                     CONFIG_PROVIDERS_MAX);
        return 0;
    }
    r = config_text_read(file, place->is_system, problems, &text, &n_text);
    if (r != 0) {
        return r < 0 ? r : 0;
    }
    provider = &config->providers[config->n_providers];
    config_provider_init(provider);
    r = config_provider_parse(provider, file, text, n_text, problems);
    if (r == 0) {
        check_unique(config, provider, problems);
        r = config_provider_resolve(provider, place->paths, problems);
    }
    config->n_providers++; /* config_fini() frees it, complete or not */
    return r;
}

static bool has_suffix(const char *name, const char *suffix)
{
    size_t n = strlen(name);
    size_t n_suffix = strlen(suffix);

    return n > n_suffix && name[0] != '.' && strcmp(name + n - n_suffix, suffix) == 0;
}

static int is_conf(const struct dirent *entry)
{
    return has_suffix(entry->d_name, ".conf");
}

static int is_module(const struct dirent *entry)
{
    return has_suffix(entry->d_name, ".so");
}

/* In the order of the C locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void free_entries(struct dirent **entries, int n)
{
    for (int i = 0; i < n; i++) {
        free(entries[i]);
    }
    free(entries);
}

static int load_providers(struct config *config, const struct config_place *place,
                          struct problems *problems)
{
    struct dirent **entries = NULL;
    char folder[PATH_MAX];
    int r = paths_join(folder, place->folder, "providers.d");
    int n;

    if (r < 0) {
        return 0;
    }
    n = scandir(folder, &entries, is_conf, by_name);
    if (n < 0 && errno == ENOENT) {
        return 0; /* no provider at all: the broker says so in every answer */
    }
    if (n < 0) {
        problems_add(problems, folder, 0, "cannot be listed: %s", strerror(errno));
        return 0;
    }
    for (int i = 0; i < n && r == 0; i++) {
        char file[PATH_MAX];

        if (paths_join(file, folder, entries[i]->d_name) == 0) {
            r = load_provider(config, place, file, problems);
        }
    }
    free_entries(entries, n);
    return r;
}

/* ---------------------------------------------------------------------------------------- built-in
 */

/* A provider that costs much, or does nothing without being set up, says by a file beside its
 * definitions that it wants to be asked for. */
static bool is_opt_in(const struct config_place *place, const char *name)
{
    char folder[PATH_MAX];
    char marker[PATH_MAX];

    return paths_join(folder, place->paths->share, name) == 0 &&
           paths_join(marker, folder, "opt-in") == 0 && access(marker, F_OK) == 0;
}

static int add_built_in(struct config *config, const struct config_place *place, const char *so,
                        struct problems *problems)
{
    struct config_provider *provider = &config->providers[config->n_providers];
    char folder[PATH_MAX];

    config_provider_init(provider);
    config->n_providers++;
    provider->name = strndup(so, strlen(so) - strlen(".so"));
    provider->module = strdup(so);
    if (!provider->name || !provider->module) {
        return -ENOMEM;
    }
    if (!config_value_is_name(provider->name) || is_opt_in(place, provider->name)) {
        config_provider_fini(provider);
        config->n_providers--;
        return 0;
    }
    /* Definitions that are installed under the provider's name are meant for it. */
    if (paths_join(folder, place->paths->share, provider->name) == 0 && access(folder, F_OK) == 0) {
        provider->definitions = strdup(folder);
        if (!provider->definitions) {
            return -ENOMEM;
        }
    }
    return config_provider_resolve(provider, place->paths, problems);
}

static int load_built_in(struct config *config, const struct config_place *place,
                         struct problems *problems)
{
    struct dirent **entries = NULL;
    int n = scandir(place->paths->providers, &entries, is_module, by_name);
    int r = 0;

    if (n < 0) {
        problems_add(problems, place->paths->providers, 0, "cannot be listed: %s", strerror(errno));
        return 0;
    }
    for (int i = 0; i < n && i < CONFIG_PROVIDERS_MAX && r == 0; i++) {
        r = add_built_in(config, place, entries[i]->d_name, problems);
    }
    free_entries(entries, n);
    return r;
}

int config_load(struct config *ret, const struct config_place *place, struct problems *problems)
{
    size_t n_before = problems->n;
    struct config *config = malloc(sizeof(*config));
    int r;

    if (!config) {
        return -ENOMEM;
    }
    config_init(config);
    if (place->folder) {
        r = load_main(config, place, problems);
        if (r == 0) {
            r = load_providers(config, place, problems);
        }
    } else {
        r = load_built_in(config, place, problems);
    }
    if (r == 0 && problems->n != n_before) {
        r = CONFIG_E_BAD;
    }
    if (r == 0) {
        if (place->mode != PES_MODE_NONE) {
            config->mode = place->mode;
        }
        config->allows_unsigned |= place->allows_unsigned;
        *ret = *config;
    } else {
        config_fini(config);
    }
    free(config);
    return r;
}
