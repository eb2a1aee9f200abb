"""Of the files, the feed API and the ticker."""

from tests.defects.kinds import Defect

FILES = "tests/feeds/test_files.py"
API = "tests/feeds/test_api.py"

DEFECTS = [
    Defect(
        "a file is renamed before the disk has it",
        "6",
        "feeds/files.py",
        "        os.utime(opened.fileno(), (EPOCH + number, EPOCH + number))\n        os.fsync(opened.fileno())\n",
        "        os.utime(opened.fileno(), (EPOCH + number, EPOCH + number))\n",
        ("tests/feeds/test_durable.py::test_the_bytes_then_the_name_then_the_folder",),
    ),
    Defect(
        "a new name is not on the disk when publishing goes on",
        "6",
        "feeds/files.py",
        "        raise\n    sync_folder(file.parent)\n",
        "        raise\n",
        ("tests/feeds/test_durable.py::test_the_bytes_then_the_name_then_the_folder",),
    ),
    Defect(
        "a file is written in its place",
        "6",
        "feeds/files.py",
        '    new = file.with_name(f".{file.name}.new")\n    try:\n',
        "    new = file\n    try:\n",
        (f"{FILES}::test_a_full_disk_leaves_the_old_file_and_nothing_else",),
    ),
    Defect(
        "a full disk leaves half a file behind",
        "6",
        "feeds/files.py",
        "    except OSError:\n        new.unlink(missing_ok=True)\n        raise\n",
        "    except OSError:\n        raise\n",
        (f"{FILES}::test_a_full_disk_leaves_the_old_file_and_nothing_else",),
    ),
    Defect(
        "an older snapshot replaces a newer one",
        "6",
        "feeds/files.py",
        "    if number <= number_of(file):\n        return False\n",
        "",
        (f"{FILES}::test_what_is_not_newer_replaces_nothing",),
    ),
    Defect(
        "the ETag stays when the snapshot is another",
        "6",
        "feeds/api.py",
        "f'\"{files.EPOCH + number:x}-{len(body):x}\"'",
        "f'\"{files.EPOCH:x}-{len(body):x}\"'",
        (f"{API}::test_two_snapshots_of_one_size_have_two_etags",),
    ),
    Defect(
        "without database and files the feed is empty, with 200",
        "6",
        "feeds/api.py",
        "            raise FeedsAway\n        return otherwise()\n",
        '            return files.unnumbered(\'{"version":1,"entries":[],"removed":[]}\')\n'
        "        return otherwise()\n",
        (f"{API}::test_without_files_too_it_says_that_it_cannot_now",),
    ),
    Defect(
        "one file that cannot be written hides that it could not",
        "6",
        "feeds/files.py",
        "                written += put(path_of(place), number, body)\n"
        "            except OSError as error:\n                trouble = error\n",
        "                written += put(path_of(place), number, body)\n"
        "            except OSError:\n                break\n",
        (f"{FILES}::test_one_file_that_fails_keeps_no_other_back",),
    ),
    Defect(
        "a revoked key opens the feed at Django",
        "security",
        "feeds/api.py",
        "    found: Stored | None = Rendering.objects.read_by(key, market, category)\n",
        "    found: Stored | None = Rendering.objects.read_by(key, market, category) or Rendering.objects.read_by(\n"
        "        None, market, category\n    )\n",
        (f"{API}::test_a_revoked_key_is_403",),
    ),
    Defect(
        "a revoked key keeps its files at the edge",
        "security",
        "feeds/operations.py",
        'before={"name": consumer.name, "mode": consumer.mode})\n'
        "            transaction.on_commit(link_consumers, robust=True)\n",
        'before={"name": consumer.name, "mode": consumer.mode})\n',
        (f"{FILES}::test_revoking_unlinks_the_key_and_keeps_the_files",),
    ),
    Defect(
        "the ticker takes words for markup",
        "11",
        "static/feeds/ticker.js",
        "  made.append(...parts.filter((part) => part != null));\n",
        '  for (const part of parts) if (typeof part === "string") made.insertAdjacentHTML("beforeend", part);\n'
        "    else if (part != null) made.append(part);\n",
        ("tests/feeds/test_ticker.py::test_words_never_become_elements",),
    ),
    Defect(
        "the ticker goes on showing what is older than an hour",
        "6",
        "static/feeds/ticker.js",
        "    if (this.#feed && this.#age() >= HOUR) this.#drop();\n",
        "",
        ("tests/feeds/test_ticker.py::test_offline_shows_the_kept_feed_then_nothing_after_an_hour",),
    ),
]
