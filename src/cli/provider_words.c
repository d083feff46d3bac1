/*
 * Words about providers.
 */
#include "cli/provider_words.h"

#include <stdio.h>
#include <stdlib.h>

#include <pes/pes.h>

#include "base/cleanup.h"

const char *mode_words(uint32_t mode)
{
    switch ((enum pes_mode)mode) {
    case PES_MODE_NONE:
        return "not set";
    case PES_MODE_OBSERVE:
        return "nothing is stopped, only recorded";
    case PES_MODE_WARN:
        return "people are warned, nothing is stopped";
    case PES_MODE_ENFORCE:
        return "what is found is stopped";
    }
    return "not known to this program";
}

static const char *crash_name(const struct pes_count_info *info)
{
    return info->number ? pes_signal_name(info->number) : "exit";
}

char *crash_words_dup(const struct pes_service *service, uint32_t provider)
{
    CLEANUP(freep) char *text = NULL;
    struct pes_count_info info = {.size_bytes = sizeof(info)};
    size_t n_text = 0;
    FILE *stream = open_memstream(&text, &n_text);

    if (!stream) {
        return NULL;
    }
    for (uint32_t i = 0; pes_service_signal(service, provider, i, &info) == 0; i++) {
        fprintf(stream, "%s%s %llu", i ? ", " : "", crash_name(&info),
                (unsigned long long)info.count);
    }
    if (fclose(stream) != 0) {
        return NULL;
    }
    return TAKE_PTR(text);
}

json_t *crash_json(const struct pes_service *service, uint32_t provider)
{
    struct pes_count_info info = {.size_bytes = sizeof(info)};
    json_t *object = json_object();

    for (uint32_t i = 0; pes_service_signal(service, provider, i, &info) == 0; i++) {
        json_object_set_new(object, crash_name(&info), json_integer((json_int_t)info.count));
    }
    return object;
}
