"""The sentences that teach, in every language: what inputs are, legends, lessons below tables.

What is true of some networks alone stands here without its conditions: `views.teaching` has them.
"""

from __future__ import annotations

from unetscope.words import Word, Words, WordsByKey


class TeachingWords(Words):
    """The catalogue with the sentences that teach."""

    # Inputs
    input_meanings = WordsByKey(
        {
            "noisy-latent": Word(en="the noisy latent", zh="带噪的潜空间图像"),
            "noisy-latent-and-more": Word(
                en="the noisy latent (4 channels), and beside it {more} channels of conditions",
                zh="带噪的潜空间图像（4 个通道），并拼上 {more} 个条件通道",
            ),
            "noisy-image": Word(
                en="the noisy image, or a latent of 3 channels",
                zh="带噪的图像，或 3 个通道的潜空间图像",
            ),
            "noisy-sample": Word(en="the noisy sample", zh="带噪的样本"),
            "time-step": Word(
                en="the time step: how noisy the sample is", zh="时间步：样本的噪声有多强"
            ),
            "embedded-time-step": Word(
                en="the time step, embedded before as a vector of {width}",
                zh="时间步，已预先嵌入为 {width} 维向量",
            ),
            "second-time-step": Word(
                en="a second time step: the level of noise of a condition",
                zh="第二个时间步：条件的噪声强度",
            ),
            "text-tokens": Word(
                en="the text's tokens: {tokens}, each {width} wide",
                zh="文本提示编码：{tokens} 个 token，每个 {width} 维",
            ),
            "condition-token": Word(
                en="the condition as {tokens} token, {width} wide",
                zh="条件编码：{tokens} 个 token，{width} 维",
            ),
            "class-label": Word(en="the class of the image", zh="图像的类别"),
            "class-or-noise-level": Word(
                en="a number from a table: a class, or a level of noise",
                zh="查表用的编号：类别，或噪声强度等级",
            ),
            "condition-vector": Word(
                en="a condition as one vector of {width}", zh="条件向量，{width} 维"
            ),
            "time-condition": Word(
                en="a vector that goes in with the time, such as the guidance scale",
                zh="随时间一同输入的向量，例如引导强度",
            ),
            "pooled-text": Word(
                en="the whole text as one vector of {width}",
                zh="整段文本的单个向量，{width} 维",
            ),
            "image-sizes": Word(
                en="sizes: of the original image, its crop, the target",
                zh="尺寸：原图、裁剪位置、目标",
            ),
            "added-numbers": Word(
                en="{width} more numbers, embedded as the time is",
                zh="另外 {width} 个数，嵌入方式与时间相同",
            ),
            "frame-rate": Word(en="frames a second", zh="每秒帧数"),
            "image-embedding": Word(en="an image, encoded as vectors", zh="图像的编码向量"),
            "image-latent": Word(en="the latent of the first frame", zh="首帧的潜空间图像"),
            "hint": Word(
                en="the hint: a picture that steers, such as edges, depth or a pose",
                zh="控制图：起引导作用的图像，如边缘、深度或姿态",
            ),
            "token-mask": Word(en="which tokens count", zh="哪些 token 有效"),
            "object-boxes": Word(en="boxes of the objects", zh="各物体的边框"),
            "object-embeddings": Word(en="what the objects are", zh="各物体的编码"),
            "object-mask": Word(en="which objects count", zh="哪些物体有效"),
            "prediction": Word(
                en="the prediction: the noise, or what gives it",
                zh="预测结果：噪声，或可由其得出噪声的量",
            ),
            "added-to-the-unet": Word(en="added to the UNet's features", zh="加到 UNet 的特征上"),
        }
    )

    # Legends, below the tables in which what they explain occurs
    legends = WordsByKey(
        {
            "held_bytes": Word(
                en="{title}: the memory that the tensor takes.", zh="{title}：该张量所占的内存。"
            ),
            "calls_between": Word(
                en="{title}: modules called from push to pop.",
                zh="{title}：从压入到弹出之间调用的模块数。",
            ),
            "through": Word(
                en="{title}: what the skip passes before it is joined.",
                zh="{title}：跨层连接在汇合前经过的层。",
            ),
            "added": Word(
                en="{title}: what is added to the skip before it is joined.",
                zh="{title}：在汇合前加到跨层连接上的张量。",
            ),
            "resnets_each": Word(
                en="{title}: the ResNets in one block; in names `_X` stands for it.",
                zh="{title}：一个模块中 ResNet 的个数，即名称中的 `_X`。",
            ),
            "merge_block": Word(
                en="{title}: what merging tools (MBW) weight as one: IN of the encoder, M00 the "
                "middle, OUT of the decoder, each numbered in order; BASE is what is in none.",
                zh="{title}：模型融合工具（MBW）按同一权重处理的单元：IN 属于 Encoder，M00 是"
                "中间块，OUT 属于 Decoder，依次编号；BASE 为不属于其中任何一个的部分。",
            ),
            "push": Word(
                en="{title}: the number of its push, if the tensor is a skip.",
                zh="{title}：若该张量是跨层连接，则为其压入序号。",
            ),
            "peak_bytes": Word(
                en="{title}: the most held at once while the block runs.",
                zh="{title}：该模块运行期间同时持有的最大量。",
            ),
            "waiting_skips": Word(
                en="{title}: pushed and not yet popped.", zh="{title}：已压入、尚未弹出。"
            ),
            "skip_bytes": Word(
                en="{title}: with those that were popped but are still held.",
                zh="{title}：包括已弹出但仍被持有的。",
            ),
        }
    )
    gsc = Word(
        en="GSC: GroupNorm, SiLU and a convolution in sequence.",
        zh="GSC：GroupNorm、SiLU 与卷积依次相连。",
    )
    join_legend = Word(en="{name}: {means}", zh="{name}：{means}")
    join_meanings = WordsByKey(
        {
            "skip": Word(
                en="from the encoder to the decoder at one size.",
                zh="从 Encoder 到同一尺寸的 Decoder。",
            ),
            "long_skip": Word(
                en="over several blocks that never change the size.",
                zh="跨过若干不改变尺寸的模块。",
            ),
            "residual": Word(
                en="a sum with what went around some layers.", zh="与绕过若干层的自身相加。"
            ),
            "dense": Word(
                en="the results of earlier layers beside each other.", zh="前面各层的结果拼在一起。"
            ),
            "branches": Word(
                en="ways that parted shortly before meet again.", zh="不久前分开的支路重新汇合。"
            ),
            "gate": Word(en="one tensor weights another.", zh="一个张量给另一个加权。"),
            "embedding": Word(
                en="a vector such as the time's is put into a map.",
                zh="时间等向量加入特征图。",
            ),
            "context": Word(
                en="features read a condition such as a text.", zh="特征读取文本等条件。"
            ),
        }
    )
    work_meanings = WordsByKey(
        {
            "core": Word(
                en="Core: attention's two products, of queries with keys and of weights with "
                "values; its projections are linear layers.",
                zh="核心：注意力的两次矩阵乘法，即查询乘键、权重乘值；其投影属于线性层。",
            ),
            "product": Word(
                en="Other products: of two computed tensors, outside attention.",
                zh="其他矩阵乘法：注意力之外两个计算所得张量相乘。",
            ),
        }
    )

    # Kinds
    one_contains = Word(en="What one contains", zh="单个包含")
    element_group = Word(en="What", zh="类型")
    element_groups = WordsByKey(
        {
            "kind": Word(en="kind", zh="组件"),
            "layer": Word(en="layer or function", zh="层或函数"),
        }
    )
    in_one = Word(en="In one", zh="单个中的数量")
    in_all = Word(en="In all", zh="总数")
    alternatives = Word(en=" or ", zh=" 或 ")
    where_it_occurs = Word(en="Where it occurs", zh="出现位置")
    folded_paths = Word(
        en="`*` stands for numbers that differ; shapes are shown where they are all alike.",
        zh="`*` 代表各不相同的编号；维度仅在全部相同时显示。",
    )
    class_unknown = Word(
        en="Nothing is known of this class but what was seen: its shapes and what is inside.",
        zh="对该类仅知所见：其维度与内部组成。",
    )
    class_about = WordsByKey(
        {
            "Conv2d": Word(
                en="A convolution: each position of the result is a weighted sum over a small "
                "window of all input channels, with the same weights everywhere.",
                zh="卷积：结果的每个位置是所有输入通道在一个小窗口内的加权和，各处权重相同。",
            ),
            "ConvTranspose2d": Word(
                en="A transposed convolution: each position of the input spreads over a window of "
                "the result, which is larger where the stride is.",
                zh="转置卷积：输入的每个位置散布到结果的一个窗口上，步幅大于 1 时结果更大。",
            ),
            "Linear": Word(
                en="A linear layer: each result is a weighted sum of all channels of one vector "
                "or token.",
                zh="线性层：每个结果是一个向量或 token 的所有通道的加权和。",
            ),
            "GroupNorm": Word(
                en="Brings groups of channels to mean 0 and variance 1 in each image, then scales "
                "and shifts each channel.",
                zh="在每张图像中把各组通道归一化为均值 0、方差 1，再对每个通道缩放和平移。",
            ),
            "LayerNorm": Word(
                en="Brings the channels of each token to mean 0 and variance 1, then scales and "
                "shifts them.",
                zh="把每个 token 的通道归一化为均值 0、方差 1，再缩放和平移。",
            ),
            "SiLU": Word(
                en="The activation x * sigmoid(x), also called Swish.",
                zh="激活函数 x * sigmoid(x)，又称 Swish。",
            ),
            "GEGLU": Word(
                en="A linear layer to two halves, of which one, after a GELU, weights the other.",
                zh="线性层输出两半，其中一半经 GELU 后为另一半加权。",
            ),
            "Dropout": Word(
                en="In training sets random elements to 0; in a pass such as this it changes none.",
                zh="训练时随机置零部分元素；在这样的前向传播中不改变任何元素。",
            ),
            "Timesteps": Word(
                en="Sines and cosines of the time step, at many frequencies; nothing is learned.",
                zh="时间步在多种频率下的正弦与余弦；没有可学习的参数。",
            ),
            "TimestepEmbedding": Word(
                en="Linear layers that turn the sines and cosines of the time step into the vector "
                "that ResNets read.",
                zh="线性层，把时间步的正弦与余弦变成 ResNet 读取的向量。",
            ),
            "ModuleList": Word(
                en="A list of modules, which is never called itself.",
                zh="模块列表，本身不被调用。",
            ),
            "Sequential": Word(
                en="Modules that run one after the other.", zh="依次运行的若干模块。"
            ),
            "Identity": Word(en="Returns what it is given.", zh="原样返回输入。"),
        }
    )
