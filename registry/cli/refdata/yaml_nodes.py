"""Values of a YAML file with their lines: read without building anything, with every fault."""

import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import yaml

_LARGEST: Final = 16 << 20  # characters of a file
_PLAIN_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "timestamp", "value")
)
_NULL: Final = "tag:yaml.org,2002:null"
_BREAKS: Final = "\n\t"  # that a text of several lines may have
_UNPRINTABLE: Final = ("Cc", "Cs", "Zl", "Zp")


class FileFault(NamedTuple):
    """A fault of a file: its line, counted from 1, and the member that it is in, if any."""

    line: int
    member: str
    text: str

    def __str__(self) -> str:
        return f"{self.member}: {self.text}" if self.member else self.text


class UnreadableYaml(Exception):
    """The file is no YAML; `fault` says where."""

    def __init__(self, fault: FileFault) -> None:
        self.fault = fault
        super().__init__(str(fault))


@dataclass(frozen=True)
class FileMember:
    """A value in a file under its `path`, such as `organizations.0308357159.url`.

    `line` is that of its name; `faults` is shared by all members of a file. Methods that read
    note what is wrong there, and give an empty value then.
    """

    node: yaml.Node
    path: str
    line: int
    faults: list[FileFault] = field(repr=False)

    def fail(self, text: str, line: int | None = None) -> None:
        """Note a fault of this value."""
        self.faults.append(FileFault(self.line if line is None else line, self.path, text))

    def read_entries(self) -> Mapping[str, "FileMember"]:
        """Read members with names of any kind, such as ids."""
        if not isinstance(self.node, yaml.MappingNode):
            self.fail("must be a list of names with a colon behind each")
            return {}
        members: dict[str, FileMember] = {}
        for key, value in self.node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.fail("has a name that is no text", _find_line(key))
                continue
            member = self._make_member(key.value, value, _find_line(key))
            if key.value in members:
                member.fail(f"stands here twice, first in line {members[key.value].line}")
            else:
                members[key.value] = member
        return members

    def read_members(
        self, required: Collection[str], optional: Collection[str]
    ) -> Mapping[str, "FileMember"]:
        """Read members with these names; others, and required ones that are not there, are told."""
        members = self.read_entries()
        known = [*required, *optional]
        for name, member in members.items():
            if name not in known:
                member.fail(f"is not known here; {', '.join(known)} are")
        if isinstance(self.node, yaml.MappingNode):
            for name in required:
                if name not in members:
                    self.fail(f"has no {name}")
        return {name: member for name, member in members.items() if name in known}

    def read_list(self) -> Iterator["FileMember"]:
        """Read the items of a list; it must have one."""
        if not isinstance(self.node, yaml.SequenceNode) or not self.node.value:
            self.fail("must be a list with at least one item")
            return
        for number, node in enumerate(self.node.value, 1):
            yield FileMember(node, f"{self.path}[{number}]", _find_line(node), self.faults)

    def read_text(self, longest: int, *, has_lines: bool = False) -> str:
        """Read a text that is not blank, of one line unless `has_lines`.

        It is taken as it is written: what YAML calls a number, a date or `no` is a text too.
        """
        if not isinstance(self.node, yaml.ScalarNode):
            self.fail("must be a text")
            return ""
        text = str(self.node.value)
        if self.node.tag == _NULL or not text.strip():
            self.fail("is empty")
            return ""
        allowed = _BREAKS if has_lines else ""
        if self.node.tag not in _PLAIN_TAGS:
            self.fail("must be a plain text, without a tag")
        elif any(
            unicodedata.category(each) in _UNPRINTABLE and each not in allowed for each in text
        ):
            self.fail("has a line break or another character that cannot be shown")
        elif len(text) > longest:
            self.fail(f"has {len(text)} characters; at most {longest} are possible")
        else:
            return text
        return ""

    @property
    def is_text(self) -> bool:
        """Tell if it is one text, and no members or list."""
        return isinstance(self.node, yaml.ScalarNode)

    def _make_member(self, name: str, node: yaml.Node, line: int) -> "FileMember":
        path = f"{self.path}.{name}" if self.path else name
        return FileMember(node, path, line, self.faults)


def parse_yaml(content: bytes, faults: list[FileFault]) -> FileMember:
    """Parse a file of one document. Raises `UnreadableYaml`."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UnreadableYaml(FileFault(line, "", "is not UTF-8")) from None
    if len(text) > _LARGEST:
        raise UnreadableYaml(FileFault(1, "", f"is larger than {_LARGEST} characters"))
    try:
        # Nodes only: no value of the file becomes an object, whatever its tag asks for.
        node = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise UnreadableYaml(FileFault(line, "", f"is no YAML: {error.problem}")) from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise UnreadableYaml(FileFault(line, "", "has a character that cannot be shown")) from None
    except RecursionError:
        raise UnreadableYaml(FileFault(1, "", "is nested too deeply")) from None
    if node is None:
        raise UnreadableYaml(FileFault(1, "", "is empty"))
    return FileMember(node, "", _find_line(node), faults)


def _find_line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
