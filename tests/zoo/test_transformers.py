"""Networks of transformers, each from a small configuration; nothing is downloaded."""

import pytest
import torch
from matrix import Answer, check

transformers = pytest.importorskip("transformers", reason="transformers is not installed: run `make test-zoo`")
T = transformers


def classifier(config, network) -> Answer:
    return Answer(network(config), lambda answer: answer.logits)


NETWORKS = {
    "ResNet": lambda: classifier(
        T.ResNetConfig(embedding_size=16, hidden_sizes=[16, 24, 32, 40], depths=[1, 2, 1, 1]),
        T.ResNetForImageClassification,
    ),
    "RegNet": lambda: classifier(
        T.RegNetConfig(embedding_size=16, hidden_sizes=[16, 24, 32, 40], depths=[1, 1, 2, 1], groups_width=8),
        T.RegNetForImageClassification,
    ),
    "MobileNetV1": lambda: classifier(
        T.MobileNetV1Config(depth_multiplier=0.25, classifier_dropout_prob=0.1), T.MobileNetV1ForImageClassification
    ),
    "MobileNetV2": lambda: classifier(
        T.MobileNetV2Config(depth_multiplier=0.35, classifier_dropout_prob=0.1), T.MobileNetV2ForImageClassification
    ),
    "MobileNetV2-DeepLab": lambda: classifier(
        T.MobileNetV2Config(depth_multiplier=0.35, num_labels=5), T.MobileNetV2ForSemanticSegmentation
    ),
    "EfficientNet": lambda: classifier(
        T.EfficientNetConfig(width_coefficient=0.5, depth_coefficient=0.3, hidden_dim=640, image_size=64),
        T.EfficientNetForImageClassification,
    ),
    "MobileViT": lambda: classifier(
        T.MobileViTConfig(
            hidden_sizes=[24, 32, 40], neck_hidden_sizes=[8, 16, 24, 32, 40, 48, 64], image_size=64, num_labels=5
        ),
        T.MobileViTForImageClassification,
    ),
    "MobileViT-DeepLab": lambda: classifier(
        T.MobileViTConfig(
            hidden_sizes=[24, 32, 40], neck_hidden_sizes=[8, 16, 24, 32, 40, 48, 64], image_size=64, num_labels=5
        ),
        T.MobileViTForSemanticSegmentation,
    ),
    "SegFormer": lambda: classifier(
        T.SegformerConfig(hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1], decoder_hidden_size=32, num_labels=5),
        T.SegformerForSemanticSegmentation,
    ),
    "SwiftFormer": lambda: classifier(
        T.SwiftFormerConfig(depths=[1, 1, 1, 1], embed_dims=[8, 16, 24, 32]), T.SwiftFormerForImageClassification
    ),
    "CvT": lambda: classifier(
        T.CvtConfig(embed_dim=[16, 32, 48], num_heads=[1, 2, 3], depth=[1, 2, 3]), T.CvtForImageClassification
    ),
    "HGNetV2": lambda: classifier(
        T.HGNetV2Config(
            embedding_size=16,
            hidden_sizes=[16, 32, 48, 64],
            stem_channels=[3, 8, 16],
            stage_in_channels=[16, 16, 32, 48],
            stage_mid_channels=[8, 8, 16, 16],
            stage_out_channels=[16, 32, 48, 64],
            stage_num_blocks=[1, 1, 1, 1],
            stage_numb_of_layers=[2, 2, 2, 2],
        ),
        T.HGNetV2ForImageClassification,
    ),
    "TextNet": lambda: classifier(
        T.TextNetConfig(stem_out_channels=16, hidden_sizes=[16, 16, 24, 32, 40]), T.TextNetForImageClassification
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name):
    check(NETWORKS[name](), torch.rand(2, 3, 64, 64))


def test_levit_normalizes_rows_and_maps():
    config = T.LevitConfig(
        hidden_sizes=[32, 48, 64], num_attention_heads=[2, 3, 4], depths=[1, 1, 1], key_dim=[8, 8, 8]
    )
    check(classifier(config, T.LevitForImageClassification), torch.rand(2, 3, 224, 224), {"BatchNorm1d", "BatchNorm2d"})


def test_frozen_layers_are_named():
    config = T.RTDetrResNetConfig(embedding_size=16, hidden_sizes=[16, 24, 32, 40], depths=[1, 1, 1, 1])
    from habn import convert_batch_norm

    network = T.RTDetrResNetBackbone(config)
    from transformers.models.rt_detr.modeling_rt_detr import replace_batch_norm

    replace_batch_norm(network)
    with pytest.warns(
        UserWarning, match=r"\(RTDetrFrozenBatchNorm2d, not derived from PyTorch's batch normalization\)"
    ):
        convert_batch_norm(network)
