/*
 * Encoding: any message within its limits, made out of the input, must come out as bytes that both
 * codecs decode to it again, and that protobuf-c would have written just so.
 */
#include "frame_tools.h"
#include "protobuf_twin.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    static struct wire_frame frame;

    frame_fill(&frame, bytes, n_bytes);
    twin_check_round_trip(&frame);
    return 0;
}
