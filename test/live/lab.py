"""Where the tests run: the program, the helpers beside it, and folders that are thrown away."""
import copy
import os
import shutil
import tempfile

from check import Skipped


class Lab:
    """Owns its folders; close() removes them."""

    def __init__(self, program, hold, long):
        self.long = long
        self.hold = os.path.abspath(hold)
        self.helpers = os.path.dirname(self.hold)
        self.programs = os.path.join(os.path.dirname(os.path.abspath(__file__)), "programs")
        self.folders = []
        self.scratch = self.folder(None)
        # Every user may run the copy, wherever the build folder is.
        self.program = shutil.copy(program, self.scratch)
        self.cache = os.path.join(self.scratch, "cache")
        os.mkdir(self.cache, 0o700)
        self.interpreters = []
        self.missing = []
        self.staged = {}
        # Of every run of the program, whatever is asked of it.
        self.always = []
        # Of every run of the program, and where its layouts come from then.
        self.options = []
        self.layout_source = "dwarf"

    def folder(self, root):
        """A new folder that all may read, below /tmp of `root`."""
        below = os.path.join(root, "tmp") if root else None
        path = tempfile.mkdtemp(prefix="pyheaptop-live-", dir=below)
        os.chmod(path, 0o755)
        self.folders.append(path)
        return path

    def fresh(self, name):
        """A new folder in the scratch folder."""
        return tempfile.mkdtemp(prefix=name + "-", dir=self.scratch)

    def stage(self, root):
        """A folder in `root` that holds the target programs and their libraries, made once."""
        if root not in self.staged:
            folder = self.folder(root)
            shutil.copy(self.hold, folder)
            shutil.copy(self.helper("libmalloc_shapes.so"), folder)
            for name in os.listdir(self.programs):
                if name.endswith(".py"):
                    shutil.copy(os.path.join(self.programs, name), folder)
            self.staged[root] = folder
        return self.staged[root]

    def twin(self):
        """The same lab in folders of its own."""
        other = Lab(self.program, self.hold, self.long)
        other.interpreters, other.missing = self.interpreters, self.missing
        other.always, other.options = self.always, self.options
        other.layout_source = self.layout_source
        return other

    def with_layouts(self, path):
        """The same lab, with layouts out of a file."""
        other = copy.copy(self)
        other.options, other.layout_source = ["--layout=" + path], "table"
        return other

    def with_fresh_cache(self):
        """The same lab, which knows no layout yet: a copy of a file has the build-id of the file."""
        other = copy.copy(self)
        other.cache = self.fresh("cache")
        return other

    def with_source(self, layout_source):
        """The same lab, where layouts come from elsewhere."""
        other = copy.copy(self)
        other.layout_source = layout_source
        return other

    def with_dwarf(self):
        """The same lab, with debug information."""
        other = copy.copy(self)
        other.options, other.layout_source = [], "dwarf"
        return other

    def without_dwarf(self):
        """The same lab, with what is compiled in and what memory shows."""
        other = copy.copy(self)
        other.options, other.layout_source = ["--no-dwarf"], "table"
        return other

    def helper(self, name):
        return os.path.join(self.helpers, name)

    def any_interpreter(self, since=(3, 6)):
        """One that needs no root folder of its own."""
        for interpreter in self.interpreters:
            if interpreter.root is None and interpreter.series >= since:
                return interpreter
        raise Skipped("no interpreter outside the unpacked roots")

    def public_interpreter(self):
        """One that every user may run."""
        for interpreter in self.interpreters:
            if interpreter.root is None and interpreter.path.startswith("/usr/"):
                return interpreter
        raise Skipped("no interpreter in /usr")

    @staticmethod
    def needs_root():
        if os.geteuid() != 0:
            raise Skipped("needs root")

    def close(self):
        for folder in self.folders:
            shutil.rmtree(folder, ignore_errors=True)
