/*
 * What a stranger's containers promise: read within bounds, and a promise that was not kept is a
 * gap. The first byte says as what the rest is told of; the rest is the content, cut into layers at
 * each 0xff 0x00.
 */
#include <stdlib.h>
#include <string.h>

#include "providers/clamav/closed_form.h"
#include "providers/clamav/layer_watch.h"
#include "providers/clamav/zip_index.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

static const char *const types[] = {
    "CL_TYPE_ZIP", "CL_TYPE_GZ", "CL_TYPE_MSOLE2", "CL_TYPE_BINARY_DATA", "CL_TYPE_7Z",
};

static void check_index(const uint8_t *bytes, size_t n_bytes)
{
    struct zip_index index;

    for (int is_known = 0; is_known < 2; is_known++) {
        bool has_index = zip_index_read(&index, bytes, n_bytes, is_known);

        if (index.n_encrypted + index.n_unsupported > index.n_members || (is_known && !has_index) ||
            (!has_index && index.n_members > 0)) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    static struct layer_watch watch;
    uint32_t level = 0;

    if (n_bytes == 0) {
        return 0;
    }
    layer_watch_init(&watch);
    for (size_t at = 1; at < n_bytes;) {
        const uint8_t *end = memmem(bytes + at, n_bytes - at, "\xff", 2);
        size_t n = end ? (size_t)(end - bytes) - at : n_bytes - at;
        uint8_t kind = (uint8_t)(bytes[0] + level);

        check_index(bytes + at, n);
        (void)closed_form_is_encrypted_ole2(bytes + at, n);
        (void)closed_form_is_packed(bytes + at, n);
        layer_watch_take(&watch, &(struct layer_seen){
                                     .type = types[kind % (sizeof(types) / sizeof(types[0]))],
                                     .bytes = bytes + at,
                                     .n_bytes = n,
                                     .level = level,
                                     .is_named = kind & 1,
                                     .is_normalised = kind & 2,
                                 });
        level = (level + kind) % 7;
        at += n + 2;
    }
    layer_watch_end(&watch);
    if (watch.n_layers != 0) {
        abort();
    }
    return 0;
}
