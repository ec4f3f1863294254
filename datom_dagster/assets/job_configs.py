"""What the jobs of a project's life are told when they are launched."""

# Dagster reads annotations at run time, to know how jobs are configured: no `annotations` import.
from enum import Enum

import dagster as dg
from pydantic import Field

import datom_core as dc


class Verify(Enum):
    """How copies are verified: by the SHA-256 of every object, or by sizes alone."""

    hash = "hash"
    size = "size"


class Depth(Enum):
    """How deep validation looks: what exists, whether documents and sizes agree, or every byte."""

    quick = "quick"
    deep = "deep"
    full = "full"


class Backend(Enum):
    """What kind of place it is."""

    local = "local"
    s3 = "s3"


class Place(dg.Config):
    """A folder, or a bucket. Its keys are given as the *names* of environment variables."""

    backend: Backend = Field(description="local or s3.")
    root: str = Field(description="Path of the folder, or name of the bucket.")
    prefix: str = Field(default="", description="Path below it.")
    region: str | None = Field(default=None, description="Where the bucket is.")
    endpoint_url: str | None = Field(default=None, description="URL of a server other than AWS.")
    access_key_env: str | None = Field(default=None, description="Name of the variable that holds the access key.")
    secret_key_env: str | None = Field(default=None, description="Name of the variable that holds the secret key.")
    session_token_env: str | None = Field(default=None, description="Name of the variable of a session token.")
    profile: str | None = Field(default=None, description="A profile of the AWS configuration files, or of SSO.")

    def store(self, near: dc.ObjectStore) -> dc.ObjectStore:
        """The store. A bucket without credentials of its own uses the server and the credentials of ``near``.

        Raises:
            InvalidInputError: no credentials for a bucket.
        """
        if self.backend is Backend.local:
            return dc.LocalStore(self.root, self.prefix)
        # Never show one server's keys to another.
        own = self.access_key_env or self.secret_key_env or self.session_token_env or self.profile or self.endpoint_url
        if not own and near.location.backend == self.backend.value:
            return dc.open_store(dc.Location(self.backend.value, self.root, self.prefix, self.region), near=(near,))
        from datom_dagster.resources import S3Storage

        return S3Storage(
            bucket=self.root,
            prefix=self.prefix,
            region=self.region,
            endpoint_url=self.endpoint_url,
            access_key_env=self.access_key_env,
            secret_key_env=self.secret_key_env,
            session_token_env=self.session_token_env,
            profile=self.profile,
        ).store()


class InitProject(dg.Config):
    """A new project."""

    schema_number: int = Field(default=2, description="2, or 1 for teams with R datom up to 0.1.2.")
    product: str | None = Field(default=None, description="For a product, the name of its one set.")


class FreezeCut(dg.Config):
    """A cut that is released as a set."""

    cut: str = Field(description="The cut whose versions the set will list.")
    set_name: str = Field(description="Name of the set; of a product, the one that it declares.")
    tables: list[str] | None = Field(default=None, description="Its tables, by default all that the cut holds.")
    source: str | None = Field(
        default=None, description="The project that has the cut, found by the register; by default the set's own."
    )
    labels: dict[str, str] = Field(default={}, description="Labels of the set, besides that of the cut.")
    message: str | None = Field(default=None, description="Why; by default the run's tag datom/commit_message.")
    allow: str | None = Field(default=None, description="Why members that contradict one another are right.")
    dry_run: bool = Field(default=False, description="Only say what would be written.")


class MigrateProject(dg.Config):
    """A move of a project's data."""

    to: Place = Field(description="The new place: empty, or begun by an earlier run.")
    source: Place | None = Field(
        default=None,
        description="The old place, to complete a move that broke off after the project had recorded the new one. Of a "
        "registered project the register knows it.",
    )
    message: str | None = Field(default=None, description="Why; for the commit, and for the register.")
    verify: Verify = Field(default=Verify.hash, description="By hash every object is read back.")
    sunset_at: str | None = Field(default=None, description="Until when the old place is kept, YYYY-MM-DD.")
    delete_source: bool = Field(default=False, description="Remove the data from the old place in the end.")
    dry_run: bool = Field(default=False, description="Only say what would be done.")


class ValidateProject(dg.Config):
    """A check that everything is there, and as it should be."""

    depth: Depth = Field(default=Depth.quick, description="quick, deep or full.")
    fix: bool = Field(default=False, description="Put back everything that git can give.")


class MarkReviewed(dg.Config):
    """What was reviewed, and by whom."""

    cut: str = Field(description="Everything up to this cut was reviewed.")
    name: str = Field(default="reviewed", description="Name of the mark; each kind of review may have one.")
    message: str | None = Field(
        default=None, description="Why, or what came of it; by default the run's tag datom/commit_message."
    )
    author: str | None = Field(
        default=None,
        description="Who, \"Name <email>\"; by default the run's tag datom/author, else the project's author.",
    )
    backwards: bool = Field(default=False, description="Set the mark to an earlier cut than that at which it stands.")


class DecommissionProject(dg.Config):
    """The end of a project."""

    confirm: str = Field(description="The project's name, typed out.")
    dry_run: bool = Field(default=True, description="Only say what would go. Set it to false to take it away.")
