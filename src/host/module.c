/*
 * Loads a provider's shared object and checks what it says about itself.
 *
 * The object is loaded from the very memfd that was verified, through /proc/self/fd, so that no
 * file can be swapped in between; the seals are looked at here once more. Nothing of it is trusted:
 * its description is copied, bounded and checked, and whatever is wrong is said in words that its
 * author can act on. A kind pattern ("script.*") covers only kinds that existed when the module was
 * built: a younger kind never reaches it.
 */
#include "host/module.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "wire/name_table.h"

#define SEALS_NEEDED   (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)
#define NAME_MAX_CHARS 32
#define VERSION_MAX    63

#define FLAGS_KNOWN ((uint32_t)(PES_PROVIDER_RAW | PES_PROVIDER_PREFIX))

#define FAIL(text, ...) (snprintf((text), MODULE_TEXT_BYTES, __VA_ARGS__), -1)

static bool is_good_name(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return n > 0 && n <= NAME_MAX_CHARS && name[n] == '\0';
}

static bool is_good_version(const char *version)
{
    size_t n = 0;

    while (version[n] >= ' ' && version[n] <= '~' && n <= VERSION_MAX) {
        n++;
    }
    return n > 0 && n <= VERSION_MAX && version[n] == '\0';
}

bool module_takes(const struct module *module, uint32_t kind)
{
    for (size_t i = 0; i < module->n_kinds; i++) {
        if (module->kinds[i] == kind) {
            return true;
        }
    }
    return false;
}

static int add_pattern(struct module *module, const char *pattern, char ret_text[MODULE_TEXT_BYTES])
{
    bool is_known = false;

    for (size_t i = 0; i < wire_n_kinds; i++) {
        const struct kind_info *kind = &wire_kinds[i];

        if (kind->number == PES_KIND_NONE || !kind_pattern_matches(pattern, kind->name)) {
            continue;
        }
        is_known = true;
        if (kind->since <= module->provider.registry_version &&
            !module_takes(module, kind->number) && module->n_kinds < MODULE_KINDS_MAX) {
            module->kinds[module->n_kinds++] = kind->number;
        }
    }
    if (!is_known) {
        return FAIL(ret_text, "no kind is called '%.64s'; see pes kinds", pattern);
    }
    return 0;
}

static int check_description(struct module *module, char ret_text[MODULE_TEXT_BYTES])
{
    const struct pes_provider *provider = &module->provider;

    if (provider->abi != PES_PROVIDER_ABI) {
        return FAIL(ret_text, "it was built for provider ABI %u, this pes has %u", provider->abi,
                    PES_PROVIDER_ABI);
    }
    if (!provider->name || !is_good_name(provider->name)) {
        return FAIL(ret_text, "its name must be 1 to %d characters of [a-z0-9-]", NAME_MAX_CHARS);
    }
    if (!provider->version || !is_good_version(provider->version)) {
        return FAIL(ret_text, "its version must be 1 to %d printable ASCII characters",
                    VERSION_MAX);
    }
    if (provider->flags & ~FLAGS_KNOWN) {
        return FAIL(ret_text, "it sets flags 0x%x, of which this pes knows 0x%x; use a newer pes",
                    provider->flags, FLAGS_KNOWN);
    }
    if (!provider->scan) {
        return FAIL(ret_text, "it has no scan()");
    }
    if (!provider->kinds || !provider->kinds[0]) {
        return FAIL(ret_text, "it declares no kind");
    }
    for (size_t i = 0; provider->kinds[i]; i++) {
        if (add_pattern(module, provider->kinds[i], ret_text) < 0) {
            return -1;
        }
    }
    if (module->n_kinds == 0) {
        return FAIL(ret_text, "its registry_version %u is older than every kind it declares",
                    provider->registry_version);
    }
    return 0;
}

int module_open(struct module *module, int fd, char ret_text[MODULE_TEXT_BYTES])
{
    const struct pes_provider *(*describe)(void);
    const struct pes_provider *provider;
    int seals = fcntl(fd, F_GET_SEALS);
    char path[64];
    void *object;

    if (seals < 0 || (seals & SEALS_NEEDED) != SEALS_NEEDED) {
        return FAIL(ret_text, "it did not come sealed");
    }
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!object) {
        return FAIL(ret_text, "it cannot be loaded: %.512s", dlerror());
    }
    *(void **)&describe = dlsym(object, "pes_provider_v1");
    if (!describe) {
        return FAIL(ret_text, "it does not export pes_provider_v1()");
    }
    provider = describe();
    if (!provider || provider->size_bytes < offsetof(struct pes_provider, samples)) {
        return FAIL(ret_text, "pes_provider_v1() describes nothing");
    }
    memcpy(&module->provider, provider,
           provider->size_bytes < sizeof(module->provider) ? provider->size_bytes
                                                           : sizeof(module->provider));
    return check_description(module, ret_text);
}

int module_load(struct module *module, const struct host_options *options,
                char ret_text[MODULE_TEXT_BYTES])
{
    struct pes_load *load = &module->load;

    load->definitions = options->definitions;
    load->settings = options->settings;
    load->n_settings = options->n_settings;
    load->has_scratch = options->n_scratch > 0;
    if (!module->provider.load || module->provider.load(load, &module->state) == 0) {
        return 0;
    }
    return FAIL(ret_text, "%s",
                load->failure[0] != '\0' ? load->failure : "load() failed without saying why");
}
