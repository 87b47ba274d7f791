"""The lessons below tables, in every language; `views.teaching` knows where each is true.

`{name}` is filled in from the network that is shown.
"""

from __future__ import annotations

from unetscope.words import Word, Words


class Lessons(Words):
    """The catalogue with the lessons."""

    # What goes in and comes out
    one_step = Word(
        en="A sampler calls the network once for each step of denoising: it gives it what is still "
        "noisy and the time step, that is how noisy, and with what comes back takes some of the "
        "noise away.",
        zh="采样器在去噪的每一步调用一次网络：输入仍带噪的样本和表示噪声强度的时间步，再根据输出"
        "去掉一部分噪声。",
    )
    text_is_tokens = Word(
        en="The network never meets words: a text encoder turned them into {tokens} vectors of "
        "{width} numbers, which cross-attention reads.",
        zh="网络看不到文字本身：文本编码器先把它变成 {tokens} 个 {width} 维的向量，再由交叉注意力"
        "读取。",
    )
    weights_used_again = Word(
        en="A pass does {times} multiply-adds for each parameter, on average, since a convolution "
        "uses the same weights at every position.",
        zh="平均每个参数在一次前向传播中参与 {times} 次乘加，因为卷积在每个位置都使用同一组权重。",
    )

    # Parts and blocks
    down_and_up = Word(
        en="On the way down, from {large} to {small}, a position comes to stand for more of the "
        "picture and detail is lost; on the way up the decoder restores the size, and takes the "
        "detail from the skips.",
        zh="从 {large} 缩到 {small} 的过程中，每个位置代表的画面越来越大，细节则丢失；"
        "Decoder 再逐级恢复尺寸，细节取自跨层连接。",
    )
    channels_double = Word(
        en="Where height and width halve, one position in four is left; twice the channels keep "
        "half of the numbers, and a convolution costs as much as before: four times the weights at "
        "a quarter of the positions. Here they double at {doubled} of {halvings} such steps "
        "({widths}).",
        zh="高和宽各减半后只剩四分之一的位置；通道数加倍可保留一半的数值，而一次卷积的计算量不变："
        "权重为四倍，位置为四分之一。此处 {halvings} 次减半中有 {doubled} 次加倍（{widths}）。",
    )
    channels_stay = Word(
        en="The channels stay the same as the size falls ({widths}), so that a convolution costs "
        "less at each level.",
        zh="尺寸减小时通道数不变（{widths}），因此每下一级卷积的计算量都更小。",
    )
    time_everywhere = Word(
        en="The time goes into every one of the {all} ResNets, since the same weights serve all "
        "levels of noise: this vector tells a layer how much of it to expect.",
        zh="时间进入全部 {all} 个 ResNet，因为各种噪声强度共用同一组权重：这个向量告诉每一层"
        "当前噪声有多强。",
    )
    time_somewhere = Word(
        en="The time goes into {timed} of the {all} ResNets, and reaches the others with the map.",
        zh="时间进入 {all} 个 ResNet 中的 {timed} 个，其余的随特征图间接得到。",
    )
    cross_attention = Word(
        en="In cross-attention the queries come from the map, keys and values from the text: each "
        "position asks which tokens concern it, and takes in what these say.",
        zh="在交叉注意力中，查询来自特征图，键和值来自文本：每个位置先看哪些 token 与自己有关，"
        "再取入它们的内容。",
    )
    stands_for = Word(
        en="One position here stands for {each} positions of the sample.",
        zh="此处一个位置对应样本的 {each} 个位置。",
    )
    sees_all = Word(
        en="Through convolutions and pooling alone it could see {field} of them, and there are "
        "{sample}: what the whole picture shows can be settled here.",
        zh="仅经卷积与池化，它的感受野已有 {field}，样本共有 {sample}：整幅画面的构图可以在此"
        "决定。",
    )
    sees_some = Word(
        en="Through convolutions and pooling alone it sees {field} of the {sample} that there are.",
        zh="仅经卷积与池化，它的感受野为 {field}，样本共有 {sample}。",
    )
    attends_to_all = Word(
        en="In self-attention each of its {positions} positions also reads all the others in one "
        "step, however far apart they are.",
        zh="自注意力还让这里的 {positions} 个位置一步读到其他所有位置，无论相距多远。",
    )
    one_resnet_more = Word(
        en="A block of the decoder has one ResNet more than its counterpart: the encoder also "
        "pushed what entered it and what each downsampler made, and each of those is joined before "
        "a ResNet.",
        zh="Decoder 的模块比对应的 Encoder 模块多一个 ResNet：Encoder 还压入了入口特征和每个下采样"
        "层的输出，它们也都要在某个 ResNet 之前拼接。",
    )
    pushes_and_goes_on = Word(
        en="What is pushed here is kept for the decoder and goes on to the next layer as well: "
        "nothing is taken out of the flow.",
        zh="这里压入的特征既留给 Decoder，也继续传给下一层：主路上什么也没有拿走。",
    )
    cat_then_mix = Word(
        en="`torch.cat` only puts the channels of both side by side; the layer after it mixes "
        "them.",
        zh="`torch.cat` 只是把两者的通道并排放在一起，之后的层才将它们融合。",
    )
    sum_mixes = Word(
        en="A skip is added here, so that it needs as many channels as what it is added to, and "
        "none are gained.",
        zh="这里的跨层连接是相加，因此通道数必须与对方相同，且不会增加。",
    )

    # Skips
    what_skips_are_for = Word(
        en="A skip carries a map of the encoder to the decoder unchanged in size: the fine detail "
        "that the small maps between cannot hold. Gradients reach the early layers the same short "
        "way.",
        zh="跨层连接把 Encoder 的特征图按原尺寸送到 Decoder，其中的细节是中间的小特征图装不下的。"
        "训练时梯度也沿这条近路到达浅层。",
    )
    why_a_stack = Word(
        en="It is a stack, last in, first out, since the decoder begins at the small size where "
        "the encoder ended: what was pushed last has the size that it needs first.",
        zh="后进先出，是因为 Decoder 从 Encoder 结束时的小尺寸开始：最后压入的恰好是最先需要的"
        "尺寸。",
    )
    formula_of_the_stack = Word(
        en="`{formula}` reads: {terms}.", zh="`{formula}` 的含义：{terms}。"
    )
    term_entry = Word(en="{count} from before the first block", zh="第一个模块之前 {count} 个")
    term_layers = Word(
        en="{count} from the layers of each of {blocks} blocks",
        zh="{blocks} 个模块的层各 {count} 个",
    )
    term_layers_each = Word(
        en="from the layers of the blocks in turn {counts}", zh="各模块的层依次 {counts} 个"
    )
    term_resamplers = Word(
        en="{count} from the downsampler of each of {blocks} blocks",
        zh="{blocks} 个模块的下采样层各 {count} 个",
    )
    term_resamplers_each = Word(
        en="from the downsamplers of the blocks in turn {counts}",
        zh="各模块的下采样层依次 {counts} 个",
    )
    term_later = Word(en="{count} made after the encoder", zh="Encoder 之后产生 {count} 个")
    residual_sums = Word(
        en="In a residual sum a layer adds to what it was given instead of replacing it; that is "
        "why deep networks can be trained.",
        zh="残差相加时，一层只在输入上添加而不替换它，深层网络因此才可训练。",
    )

    # Parameters and cost
    where_weights_are = Word(
        en="A convolution has kernel x channels in x channels out weights, whatever the size of "
        "the picture, so that they lie where channels are many: {block} holds the most, {share}.",
        zh="卷积的权重数为 卷积核 x 输入通道 x 输出通道，与图像尺寸无关，因此集中在通道多的地方："
        "{block} 最多，占 {share}。",
    )
    lora_factors = Word(
        en="A LoRA leaves the weights alone and trains two thin matrices of rank {rank} beside "
        "each, whose product is added to it.",
        zh="LoRA 不改动原权重，而是在每个权重旁训练两个秩为 {rank} 的窄矩阵，把其乘积加上去。",
    )
    buffers_are = Word(
        en="Buffers belong to the network but are not trained: tables, running statistics.",
        zh="缓冲区属于网络但不参与训练，如查找表、滑动统计量。",
    )
    macs_and_flops = Word(
        en="A MAC multiplies two numbers and adds the result to a sum; FLOPs count the two "
        "operations apart. Both say how much is to be computed, not how long it takes.",
        zh="一次 MAC 是把两数相乘再加到和上；FLOPs 把这两个运算分开计。二者说明计算量，而非耗时。",
    )
    cost_is_elsewhere = Word(
        en="A convolution costs its weights at every position, so that large maps cost the most: "
        "{costly} does the most work, {costly_share}, while {heavy} holds the most parameters.",
        zh="卷积的计算量是权重数乘以位置数，因此大特征图最贵：{costly} 的计算量最大，占 "
        "{costly_share}，而参数最多的是 {heavy}。",
    )
    square_of_positions = Word(
        en="Self-attention compares every position with every other, so that twice the height and "
        "width make its products cost sixteen times as much, and convolutions four times.",
        zh="自注意力把每个位置与其他所有位置比较，因此高和宽各加倍时其矩阵乘法为十六倍，卷积为四倍。",
    )
    image_takes_steps = Word(
        en="A picture costs as many passes as the sampler takes steps: half the steps cost half "
        "as much.",
        zh="一张图的计算量等于采样步数乘以每步的前向传播：步数减半，计算量减半。",
    )
    guided_twice = Word(
        en="With classifier-free guidance each step runs twice, with the condition and without, "
        "and goes further in the direction in which they differ.",
        zh="使用无分类器引导时，每步运行两次，一次带条件一次不带，再沿二者之差的方向走得更远。",
    )
    work_without_macs = Word(
        en="Norms, activations and sums multiply no matrices, but read and write every element, "
        "which takes time as well.",
        zh="归一化、激活与相加不做矩阵乘法，但要读写每个元素，这同样耗时。",
    )

    # Memory
    two_kinds_of_memory = Word(
        en="Weights take the same memory whatever is computed; activations grow with the size of "
        "the input and the batch.",
        zh="权重占用的内存与输入无关；激活值则随输入尺寸与批量增长。",
    )
    peak_at_largest = Word(
        en="The peak lies at the largest size, {size}, where tensors are largest; at that moment "
        "{waiting} of the {peak} are skips that are held.",
        zh="峰值出现在最大尺寸 {size} 处，那里的张量最大；此刻 {peak} 中有 {waiting} 是被持有的"
        "跨层张量。",
    )
    peak_below = Word(
        en="The peak does not lie at the largest size but at {size}; at that moment {waiting} of "
        "the {peak} are skips that are held.",
        zh="峰值不在最大尺寸处，而在 {size} 处；此刻 {peak} 中有 {waiting} 是被持有的跨层张量。",
    )
    half_precision = Word(
        en="Half precision stores each number in two bytes instead of four: half the memory, and "
        "in inference the results mostly stay nearly the same.",
        zh="半精度用两个字节而非四个存一个数：内存减半，推理结果大多几乎不变。",
    )
    stack_fills_and_empties = Word(
        en="The stack fills through the encoder, is fullest around the middle, and empties through "
        "the decoder.",
        zh="栈在 Encoder 中逐渐填满，在中间最满，在 Decoder 中逐渐清空。",
    )
    early_live_long = Word(
        en="What is pushed first is popped last, so that it lives longest; here that is also the "
        "largest tensor.",
        zh="最先压入的最后弹出，存活最久；这里它也是最大的张量。",
    )
    training_takes_more = Word(
        en="Training also holds a gradient for each weight, what the optimizer remembers of it, "
        "and the activations that the backward pass reads again.",
        zh="训练还要保存每个权重的梯度、优化器为其记录的状态，以及反向传播要再次读取的激活值。",
    )

    # Time and sizes
    why_sinusoids = Word(
        en="The time is one number, which a layer can hardly tell apart from its neighbours; sines "
        "and cosines of many frequencies make a vector of it, near for near times.",
        zh="时间只是一个数，网络很难区分相邻的值；用多种频率的正弦与余弦把它变成向量，时间相近则"
        "向量相近。",
    )
    fast_and_slow = Word(
        en="As the hands of a clock do, the fast channels tell neighbouring steps apart and the "
        "slow ones early from late: here the fastest is {ratio} times as fast as the slowest.",
        zh="如同钟表的指针，快的通道区分相邻的步，慢的区分早与晚：此处最快的频率是最慢的 {ratio} "
        "倍。",
    )
    columns_are_vectors = Word(
        en="Each column is, in the channels shown, the vector that the next layer is given at that "
        "time.",
        zh="每一列就是该时刻交给下一层的向量中所示的通道。",
    )
    near_is_alike = Word(
        en="Neighbouring steps have almost the same vector ({near}), distant ones do not ({far}): "
        "what is learned at one step helps at the next.",
        zh="相邻步的向量几乎相同（{near}），相距远的则不同（{far}）：在某一步学到的对相邻步也有用。",
    )
    cost_by_positions = Word(
        en="From {first} to {last} positions ({times} times as many) convolutions cost "
        "{convolution} times as much, and the products of self-attention {attention} times.",
        zh="位置从 {first} 个增到 {last} 个（{times} 倍）时，卷积的计算量为 {convolution} 倍，"
        "自注意力的矩阵乘法为 {attention} 倍。",
    )
    parameters_stay = Word(
        en="The parameters are the same at every size.", zh="各尺寸下参数量相同。"
    )
