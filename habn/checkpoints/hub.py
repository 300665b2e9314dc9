"""Networks of one's own on the Hugging Face Hub, and whole folders of checkpoints.

What goes wrong on the way there, or back, is one sentence, as for every checkpoint.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, PyTorchModelHubMixin
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError, LocalTokenNotFoundError
from torch import nn

from habn.checkpoints.card import write_own_card
from habn.checkpoints.files import (
    CONFIG,
    WEIGHTS,
    CheckpointError,
    check_weights,
    find_checkpoint,
    read_weights,
    write_checkpoint,
)

HUB_OPTIONS = ("revision", "token", "cache_dir", "local_files_only", "force_download")


class HubMixin(PyTorchModelHubMixin):
    """`save_pretrained`, `from_pretrained` and `push_to_hub` for a network of one's own.

        class Mine(nn.Module, habn.HubMixin):
            def __init__(self, width: int = 24): ...

        Mine(width=48).push_to_hub("me/mine")
        Mine.from_pretrained("me/mine")

    It is `huggingface_hub.PyTorchModelHubMixin`, with its signatures and its config.json (the arguments of `__init__`),
    and departs from it in three points: safetensors only; loading is strict, so a key too many, too few or of another
    shape is refused by name; and each error is a `CheckpointError` of one sentence.
    """

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | Path, **options: Any):  # type: ignore[override]
        """The network of a folder or a Hub id, in evaluation mode; arguments as of `PyTorchModelHubMixin`.

        Raises:
            CheckpointError: there is no such checkpoint, or it does not fit the class.
        """
        how = {name: options.pop(name) for name in HUB_OPTIONS if name in options}
        folder = find_checkpoint(pretrained_model_name_or_path, **how)
        try:
            return super().from_pretrained(str(folder), **options)
        except TypeError as error:
            raise CheckpointError(
                f"{folder / 'config.json'} does not fit {cls.__name__} ({error}); load it with the class that saved it."
            ) from None

    @classmethod
    def _from_pretrained(cls, *, model_id: str, map_location: str = "cpu", **options: Any):  # type: ignore[override]
        arguments = {k: v for k, v in options.items() if k not in (*HUB_OPTIONS, "strict")}
        network: Any = cls(**arguments)
        path = Path(model_id) / WEIGHTS
        weights = read_weights(path)
        check_weights(network.state_dict(), weights, path)
        network.load_state_dict(weights)
        return network.to(map_location).eval()

    def _save_pretrained(self, save_directory: Path) -> None:
        network: Any = self
        write_checkpoint(network, save_directory, {}, write_own_card(network, save_directory.name))
        (save_directory / CONFIG).unlink()  # the mixin's own holds the arguments of __init__

    def push_to_hub(self, repo_id: str, **options: Any) -> str:  # type: ignore[override]
        """Save the network into a repository of the Hub, which is made if missing; arguments as of the mixin.

        Raises:
            CheckpointError: it did not arrive.
        """
        with hub_errors(repo_id):
            return super().push_to_hub(repo_id, **options)


def push_to_hub(folder: str | Path, repo_id: str, *, private: bool | None = None, token: str | None = None) -> str:
    """Upload a checkpoint's folder to a repository of the Hub, which is made if missing; returns the commit's address.

    Raises:
        CheckpointError: there is no such checkpoint, or it did not arrive.
    """
    folder = find_checkpoint(folder)
    api = HfApi(token=token)
    with hub_errors(repo_id):
        api.create_repo(repo_id, private=private, exist_ok=True)
        commit = api.upload_folder(
            repo_id=repo_id, folder_path=folder, commit_message=f"Upload {folder.name}", ignore_patterns=[".*"]
        )
    return str(commit)


def save_checkpoint(
    network: nn.Module, folder: str | Path, metadata: dict | None = None, card: str | None = None
) -> None:
    """Write a network as a checkpoint: model.safetensors, config.json and a model card.

    Args:
        network: of this project, which `load_checkpoint` reads again, or one's own, which "module:factory@DIR" names.
        folder: is made if missing; its three files are overwritten.
        metadata: whatever config.json shall hold besides, such as {"classes": [...]}.
        card: Markdown; None for one that says what can be seen of the network.
    """
    folder = Path(folder)
    written = card if card is not None else write_own_card(network, folder.name, metadata)
    write_checkpoint(network, folder, metadata or {}, written)


@contextmanager
def hub_errors(repo_id: str) -> Iterator[None]:
    """Whatever keeps an upload from the Hub, in one sentence."""
    try:
        yield
        return
    except LocalTokenNotFoundError:
        problem = "nobody is logged in; log in with hf auth login, or give a token"
    except HFValidationError:
        problem = "that is no name of a repository; give user/name"
    except HfHubHTTPError as error:
        status = error.response.status_code
        denied = status in (401, 403)
        problem = f"the Hub answered with error {status}; " + (
            "log in with hf auth login, as somebody who may write there" if denied else "try again later"
        )
    except (HTTPError, ConnectionError, TimeoutError, OSError):
        problem = "the Hub could not be reached; check the connection"
    raise CheckpointError(f"{repo_id} was not uploaded: {problem}.")
