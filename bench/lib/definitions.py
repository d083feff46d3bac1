"""Rules and signatures for a run, in a folder that the engine in process loads as well."""
import os
import pathlib
import shutil
import subprocess

from lib.service import SOURCE

MARK = "pes-bench-mark-5e0c91d7"  # content.h


def yara(folder, is_smoke):
    """Real rules where the corpora are (PES_CORPORA), else those that pes brings. Returns what they are."""
    folder.mkdir()
    corpora = pathlib.Path(os.environ.get("PES_CORPORA") or SOURCE.parent / "shared/corpora")
    found = [] if is_smoke else sorted((corpora / "yara").rglob("*.yar*"))
    what = f"{len(found)} rule files of the corpora"
    if not found:
        found = sorted((SOURCE / "src/providers/yara/rules").glob("*.yar"))
        what = "bundled rules alone"
    for i, path in enumerate(found):
        shutil.copyfile(path, folder / f"{i:03d}-{path.stem}.yar")
    (folder / "mark.yar").write_text(f'rule pes_bench_mark {{ strings: $a = "{MARK}" condition: $a }}\n')
    return what


def clamav(folder, is_smoke):
    numbers = (1_000, 100) if is_smoke else (180_000, 20_000)
    subprocess.run([str(SOURCE / "bench/make_signatures"), str(folder), "--hashes", str(numbers[0]),
                    "--patterns", str(numbers[1])], check=True)
    shutil.copyfile(SOURCE / "src/providers/clamav/signatures/pes-selftest.ndb", folder / "pes-selftest.ndb")
    (folder / "mark.ndb").write_text(f"Bench.Mark:0:*:{MARK.encode().hex()}\n")
    return f"{numbers[0] + numbers[1]:,} generated signatures"
