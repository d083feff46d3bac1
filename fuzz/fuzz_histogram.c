/* Packed histograms: whatever is taken is packed the same again, and has quantiles that make sense.
 * */
#include <stdlib.h>
#include <string.h>

#include "base/histogram.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    uint8_t again[HISTOGRAM_PACK_BYTES_MAX];
    struct histogram histogram;
    double p50, p99;

    if (!histogram_unpack(&histogram, bytes, n_bytes)) {
        return 0;
    }
    if (histogram_pack(&histogram, again, sizeof(again)) != n_bytes ||
        memcmp(again, bytes, n_bytes) != 0) {
        abort();
    }
    p50 = histogram_quantile_us(&histogram, 0.5);
    p99 = histogram_quantile_us(&histogram, 0.99);
    if (p50 > (double)histogram.max_us || (p99 >= 0 && p99 < p50)) {
        abort();
    }
    histogram_merge(&histogram, &histogram);
    histogram_add(&histogram, histogram.sum_us);
    if (histogram_pack(&histogram, again, sizeof(again)) == 0) {
        abort();
    }
    return 0;
}
