"""
Copies of interpreters as production hosts have them: a libpython without symbols and debug
information, and one whose section headers are gone too, which no program needs to run.
"""
import os
import struct
import subprocess


def library_of(interpreter):
    """The libpython of a shared build; a program that is a Python itself has none."""
    folder = os.path.join(os.path.dirname(os.path.dirname(interpreter.path)), "lib")
    names = [name for name in os.listdir(folder)
             if name.startswith("libpython%d.%d" % interpreter.series) and name.endswith(".so.1.0")]
    return os.path.join(folder, names[0]) if names else None


def strip(lab, library):
    """A folder with a copy that has neither symbols nor debug information."""
    folder = lab.fresh("stripped")
    os.chmod(folder, 0o755)
    copy = os.path.join(folder, os.path.basename(library))
    subprocess.run(["strip", "-s", "-o", copy, library], check=True)
    return folder


def drop_section_headers(path, offset=0, count=0, names=0):
    """e_shoff at 40, e_shnum and e_shstrndx at 60 of a 64-bit file; other values damage it."""
    with open(path, "r+b") as file:
        file.seek(40)
        file.write(struct.pack("<Q", offset))
        file.seek(60)
        file.write(struct.pack("<HH", count, names))


def copies(lab):
    """Of each interpreter with a libpython, one of each kind."""
    found = []
    for one in lab.interpreters:
        library = library_of(one) if one.root is None else None
        if library is None:
            continue
        stripped, bare = strip(lab, library), strip(lab, library)
        drop_section_headers(os.path.join(bare, os.path.basename(library)))
        found.append(one._replace(name=one.name.replace("pyenv", "stripped"), folder=stripped))
        found.append(one._replace(name=one.name.replace("pyenv", "bare"), folder=bare))
    return found
