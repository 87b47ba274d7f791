"""The words of the tables: a catalogue in which each word stands once, in every language.

Names of modules, functions and classes are not words: they stay as they are in the code. `{}` and
`{name}` are filled in by the views.
"""

from __future__ import annotations

from enum import Enum


class Language(str, Enum):
    """The languages of the catalogue.

    To add one, add it here and give every `Word` below its string.
    """

    en = "en"
    zh = "zh"


class Word:
    """A word or a sentence in each language; as an attribute of `Words`, the string of one."""

    __slots__ = ("spellings",)

    def __init__(self, **spellings: str) -> None:
        self.spellings = spellings

    def __get__(self, words: Words, owner: type[Words]) -> str:
        return self.spellings[words.language]


class WordsByKey:
    """Words under the keys that the code has for what they name."""

    def __init__(self, words: dict[str, Word]) -> None:
        self.words = words

    def __get__(self, words: Words, owner: type[Words]) -> dict[str, str]:
        return {key: word.spellings[words.language] for key, word in self.words.items()}


class Words:
    """The catalogue, read in one language.

    Raises:
        ValueError: there is no such language.
    """

    def __init__(self, language: str) -> None:
        self.language = Language(language).value

    def said(self, text: str) -> str:
        """A sentence that stands in no table of words, such as an error's; see `sentences`."""
        from unetscope.sentences import said

        return said(text, self.language)

    yes = Word(en="yes", zh="是")
    no = Word(en="no", zh="否")
    none = Word(en="none", zh="无")
    listed = Word(en=", ", zh="、")
    other = Word(en="Other", zh="其他")
    total = Word(en="Total", zh="合计")

    # The cache
    cache = Word(en="Cache", zh="缓存")
    folder = Word(en="Folder", zh="文件夹")
    entries = Word(en="Entries", zh="条目数")
    size_on_disk = Word(en="On disk", zh="占用磁盘")
    most_on_disk = Word(en="At most", zh="上限")
    in_use = Word(en="In use", zh="启用")

    # Weights files
    weights_files = Word(en="Weights files", zh="权重文件")
    answer = Word(en="What it is", zh="识别结果")
    certainty = Word(en="Certainty", zh="确定程度")
    certainties = WordsByKey(
        {
            "exact": Word(en="exact", zh="完全一致"),
            "exact up to names": Word(en="exact up to names", zh="除名称外完全一致"),
            "built": Word(en="built", zh="重建一致"),
            "near": Word(en="near", zh="最接近"),
            "component": Word(en="component", zh="组件"),
            "unknown": Word(en="unknown", zh="未知"),
            "unreadable": Word(en="unreadable", zh="无法读取"),
        }
    )
    certainty_means = WordsByKey(
        {
            "exact": Word(
                en="the same names and shapes as these published networks have",
                zh="名称和维度与这些已发布的网络完全相同",
            ),
            "exact up to names": Word(
                en="the same shapes as these published networks have, one to one, under other "
                "names",
                zh="维度与这些已发布的网络一一相同，只是名称不同",
            ),
            "built": Word(
                en="no published network; one was built from a config read off the file, and all "
                "names and shapes are equal",
                zh="不是已发布的网络；按文件推断出的配置重建后，所有名称和维度都相同",
            ),
            "near": Word(
                en="the nearest published network, and how it differs",
                zh="最接近的已发布网络，以及两者的差异",
            ),
            "component": Word(
                en="known by what it holds: a part of a pipeline or what is added to one, which no "
                "config here describes",
                zh="由其内容得知：是流程中的一个组件，或附加在其上的部分，这里没有配置可以描述它",
            ),
            "unknown": Word(en="nothing that is known here", zh="这里没有已知的对应"),
        }
    )
    networks = Word(en="Published networks", zh="已发布的网络")
    in_the_file = Word(en="In the file", zh="文件中的内容")
    in_it = Word(en="Holds", zh="包含")
    stored = Word(en="Stored", zh="存储占用")
    remarks = Word(en="Remarks", zh="备注")
    prefix = Word(en="Prefix", zh="前缀")
    part_kinds = WordsByKey(
        {
            "unet": Word(en="UNet", zh="UNet"),
            "controlnet": Word(en="ControlNet", zh="ControlNet"),
            "autoencoder": Word(en="autoencoder", zh="自编码器（VAE）"),
            "text encoder": Word(en="text encoder", zh="文本编码器"),
            "image encoder": Word(en="image encoder", zh="图像编码器"),
            "transformer": Word(en="transformer (DiT)", zh="Transformer（DiT）"),
            "lora": Word(en="LoRA", zh="LoRA"),
            "embedding": Word(en="embedding", zh="嵌入"),
            "t2i adapter": Word(en="T2I adapter", zh="T2I 适配器"),
            "ip adapter": Word(en="IP-Adapter", zh="IP-Adapter"),
            "motion module": Word(en="motion module", zh="运动模块"),
            "upscaler": Word(en="upscaler", zh="放大模型"),
            "averaged weights": Word(en="averaged weights (EMA)", zh="平均权重（EMA）"),
            "optimizer": Word(en="optimizer", zh="优化器状态"),
            "other": Word(en="other", zh="其他"),
        }
    )
    what_is_known = Word(en="What is known", zh="已知情况")
    about_it = Word(en="About", zh="方面")
    in_words = Word(en="In words", zh="说明")
    told_of_files = WordsByKey(
        {
            "evidence": Word(en="evidence", zh="依据"),
            "differences": Word(en="differs", zh="差异"),
            "undecided": Word(en="not in the file", zh="文件中看不出"),
            "conventions": Word(en="by convention", zh="按惯例"),
            "contradictions": Word(en="contradiction", zh="矛盾"),
            "missing": Word(en="missing", zh="缺少"),
            "loading": Word(en="on loading", zh="加载时"),
            "doubts": Word(en="doubt", zh="存疑"),
        }
    )

    # What a terminal has no room for
    between_columns = Word(en="; ", zh="；")
    columns_left_out = Word(
        en="left out: {columns} (a wider terminal or -f markdown shows them)",
        zh="未显示：{columns}（更宽的终端或 -f markdown 会显示）",
    )

    # Heading
    model = Word(en="Model", zh="模型")
    config = Word(en="Config", zh="配置")
    parameters = Word(en="Parameters", zh="参数量")
    tensors = Word(en="Tensors", zh="张量数")
    device = Word(en="Device", zh="设备")
    dtype = Word(en="Element type", zh="数据类型")

    # What it is about
    tokens = Word(en="{} tokens", zh="{} 个 token")
    on_device = Word(en="{dtype} on {device}", zh="{dtype}（{device}）")
    names_of = Word(en="names as in {}", zh="采用 {} 的命名")
    traced_by = Word(en="{this} (traced by {other})", zh="{this}（由 {other} 追踪）")

    # Inputs and output
    inputs_and_output = Word(en="Inputs and output", zh="输入与输出")
    name = Word(en="Name", zh="名称")
    shape = Word(en="Shape", zh="维度")
    output = Word(en="output", zh="输出")

    # The five parts
    in_a_row = Word(
        en="{} UNets run one after the other, each of which pushes after all earlier skips were "
        "popped; these parts, and the tables of their blocks, do not tell them apart.",
        zh="有 {} 个 UNet 依次运行，每一个都在之前的跨层连接全部弹出之后才压入；"
        "这里的部分和各模块的表不区分它们。",
    )
    five_parts = Word(en="The five parts", zh="五个部分")
    parts = Word(en="The parts", zh="各部分")
    part = Word(en="Part", zh="部分")
    modules = Word(en="Modules", zh="模块")
    input_dims = Word(en="Input dimensions", zh="输入维度")
    output_dims = Word(en="Output dimensions", zh="输出维度")
    part_names = WordsByKey(
        {
            "entry": Word(en="Initial conv", zh="Initial Conv"),
            "encoder": Word(en="Encoder", zh="Encoder"),
            "middle": Word(en="Middle block", zh="Middle Block"),
            "decoder": Word(en="Decoder", zh="Decoder"),
            "exit": Word(en="Final conv", zh="Final Conv"),
            "outputs": Word(en="Output layers", zh="输出层"),
            "time_embedding": Word(en="Time embedding", zh="时间嵌入"),
            "controlnet": Word(en="ControlNet", zh="ControlNet"),
            "adapter": Word(en="Adapter", zh="Adapter"),
            "other": Word(en="Elsewhere", zh="其他位置"),
        }
    )
    steers = Word(
        en="{part}: {count} tensors are added to the UNet's features, {skips} of them to skips on "
        "their way.",
        zh="{part}：有 {count} 个张量加到 UNet 的特征上，其中 {skips} 个加到途中的跨层连接上。",
    )

    skips_and_joins = Word(en="Skips and joins", zh="跨层连接与汇合")
    no_skips = Word(en="No skip is joined.", zh="没有拼接任何跨层连接。")
    type_next = Word(en="What to type next", zh="接下来可以输入")
    commands = WordsByKey(
        {
            "draw": Word(en="a drawing, with costs and all skips", zh="画图，含开销与所有跨层连接"),
            "skips": Word(en="every join, with its class", zh="每个汇合及其类别"),
            "explain": Word(en="all about one module", zh="单个模块的全部信息"),
            "block": Word(en="the tables of one block", zh="单个模块组的各表"),
            "modules": Word(en="the tree of every call", zh="全部调用的树"),
            "memory": Word(en="what is in memory, and when", zh="内存中有什么、在何时"),
        }
    )

    # Stages of other networks
    stages = Word(en="Stages by resolution", zh="各分辨率阶段")
    stage_parts = WordsByKey(
        {
            "encoder": Word(en="encoder", zh="编码器"),
            "bottom": Word(en="bottom", zh="底部"),
            "decoder": Word(en="decoder", zh="解码器"),
        }
    )
    no_map = Word(en="no feature map", zh="无特征图")
    stage_size = Word(en="Size", zh="尺寸")
    pushes_here = Word(en="Pushes", zh="压入")
    pops_here = Word(en="Pops", zh="弹出")
    skips_by_push = Word(
        en="Skips are named by their push in the ledger.",
        zh="跨层连接用压入序号表示，见压入与弹出表。",
    )
    stages_in_a_row = Word(
        en="{} UNets run one after the other; these stages do not tell them apart.",
        zh="有 {} 个 UNet 依次运行；这里的阶段不区分它们。",
    )

    # Comparison of blocks
    encoder_blocks = Word(en="Encoder", zh="Encoder 结构分析")
    decoder_blocks = Word(en="Decoder", zh="Decoder 结构分析")
    compared = Word(en="Compared", zh="对比指标")
    down_block = Word(en="Down Block {}", zh="Down Block {}")
    up_block = Word(en="Up Block {}", zh="Up Block {}")
    module_type = Word(en="Block type", zh="模块类型")
    size_halved = Word(en="Size halved", zh="尺寸减半")
    size_doubled = Word(en="Size doubled", zh="尺寸加倍")
    size_change = Word(en="Size change", zh="尺寸变化")
    channels_doubled = Word(en="Channels doubled", zh="通道数加倍")
    channels_halved = Word(en="Channels halved", zh="通道数减半")
    channel_change = Word(en="Channel change", zh="通道数变化")
    resnets = Word(en="ResNets", zh="ResNet 数量")
    transformers = Word(en="Transformers", zh="Transformer 数量")
    plain_attentions = Word(en="Attentions", zh="注意力层数量")
    one_attention = Word(en="Attention", zh="注意力层")
    main_inputs = Word(en="Main inputs", zh="主要输入")
    block_inputs = WordsByKey(
        {
            "image": Word(en="image", zh="图像"),
            "time": Word(en="time", zh="时间"),
            "skip": Word(en="skips", zh="跨层连接"),
            "text": Word(en="text", zh="文本"),
            "context": Word(en="context", zh="上下文"),
            "mask": Word(en="mask", zh="掩码"),
            "other": Word(en="other", zh="其他"),
        }
    )

    # Middle block
    middle_block = Word(en="Middle block", zh="Middle Block 结构分析")
    layers = Word(en="Layers", zh="内部层")
    resampler = Word(en="Resampler", zh="采样层")

    # Residuals and skips
    residuals = Word(en="Residual stack", zh="产生残差")
    index = Word(en="Index", zh="序号 (Index)")
    producer_layer = Word(en="Producer layer", zh="生产者 (Producer Layer)")
    channels_and_size = Word(en="Feature map (channels, size)", zh="输出特征图 (通道数, 尺寸)")
    nth_resnet = Word(en=", ResNet {}", zh=" 的第{}个 ResNet")
    downsampler_of = Word(en=", downsampler", zh=" 的 Downsampler")
    residual_sum = Word(
        en="The stack holds {sum} = {total} tensors.",
        zh="一共 {sum} = {total} 个特征。",
    )
    residual_total = Word(en="Tensors on the stack: {total}.", zh="一共 {total} 个特征。")
    made_by = Word(en="Made by", zh="实际产生")
    ledger = Word(en="Skip ledger", zh="跨层连接的压入与弹出")
    push = Word(en="Push", zh="压入")
    producer = Word(en="Producer", zh="生产者")
    bytes_held = Word(en="Held", zh="占用")
    pop = Word(en="Pop", zh="弹出")
    step = Word(en="Step", zh="步骤")
    consumer = Word(en="Consumer", zh="使用者")
    calls_between = Word(en="Calls between", zh="间隔调用数")
    channels_joined = Word(en="Joined", zh="拼接后")
    on_the_way = Word(en="On the way", zh="途经")
    added_on_the_way = Word(en="Added on the way", zh="途中相加")
    verdict = Word(
        en="{pushed} pushed, {popped} popped, {order}.",
        zh="压入 {pushed} 个，弹出 {popped} 个，{order}。",
    )
    lifo = Word(en="last-in-first-out", zh="后进先出")
    not_lifo = Word(en="not last-in-first-out", zh="不是后进先出")
    left = Word(
        en="Left by the encoder and never joined: {names}.", zh="编码器留下而从未拼接：{names}。"
    )
    out_of_order = Word(en="Out of order: {}.", zh="次序不符：{}。")
    pop_of = Word(
        en="pop {pop} (push {push}, {producer})", zh="弹出 {pop}（压入 {push}，{producer}）"
    )
    reused = Word(en="Joined again: {}.", zh="重复使用：{}。")
    long_skips = Word(en="Long skips at one resolution: {}.", zh="同一分辨率内的长跨层连接：{}。")

    # All joins
    all_joins = Word(en="All joins: {}.", zh="全部汇合：{}。")
    joins_of_a_class = Word(en="{count} {name}", zh="{count} 个{name}")
    with_pops = Word(en="{joins} ({pops} pops)", zh="{joins}（弹出 {pops} 次）")
    joins = Word(en="Joins", zh="汇合")
    join_class = Word(en="Class", zh="类别")
    operands = Word(en="Operands", zh="操作数")
    note = Word(en="Note", zh="备注")
    one_join = WordsByKey(
        {
            "skip": Word(en="skip", zh="跨层连接"),
            "long_skip": Word(en="long skip", zh="长跨层连接"),
            "residual": Word(en="residual", zh="残差"),
            "dense": Word(en="dense", zh="稠密连接"),
            "branches": Word(en="branches", zh="分支"),
            "gate": Word(en="gate", zh="门控"),
            "embedding": Word(en="embedding", zh="嵌入"),
            "context": Word(en="context", zh="上下文"),
            "other": Word(en="other", zh="其他汇合"),
        }
    )
    several_joins = WordsByKey(
        {
            "skip": Word(en="skips", zh="跨层连接"),
            "long_skip": Word(en="long skips", zh="长跨层连接"),
            "residual": Word(en="residual", zh="残差"),
            "dense": Word(en="dense", zh="稠密连接"),
            "branches": Word(en="branches", zh="分支"),
            "gate": Word(en="gates", zh="门控"),
            "embedding": Word(en="embeddings", zh="嵌入"),
            "context": Word(en="context", zh="上下文"),
            "other": Word(en="other", zh="其他汇合"),
        }
    )
    doubts = WordsByKey(
        {
            "lone": Word(en="a long skip or dense", zh="长跨层连接或稠密连接"),
            "product": Word(en="a skip if it were a sum", zh="若为求和则是跨层连接"),
        }
    )
    doubtful = WordsByKey(
        {
            "lone": Word(
                en="One concatenation at one resolution, a long skip or dense: {}.",
                zh="单个同分辨率拼接，可能是长跨层连接或稠密连接：{}。",
            ),
            "product": Word(
                en="No skips, but would be if they were sums: {}.",
                zh="不是跨层连接，若为求和则是：{}。",
            ),
        }
    )
    of_no_class = Word(en="Joins of no known class: {}.", zh="类别未知的汇合：{}。")

    # Steps
    steps_of = WordsByKey(
        {
            "encoder_steps": Word(en="Steps of the encoder", zh="压入残差"),
            "middle_steps": Word(en="Steps of the middle block", zh="Middle Block 的步骤"),
            "steps": Word(en="Steps", zh="使用残差"),
        }
    )
    never_joined = Word(en="never joined", zh="从未拼接")
    pushed_later = Word(
        en="Pushed after the encoder, by the decoder's blocks: {names}.",
        zh="在 Encoder 之后由 Decoder 的模块压入：{names}。",
    )
    sample_in = Word(en="Input", zh="输入")
    from_producer = Word(en="from", zh="来自")
    operation = Word(en="Operation", zh="操作")
    input_tensors = Word(en="Input tensors and shapes", zh="输入Tensor(s) 及其维度")
    output_tensor = Word(en="Output tensor and shape", zh="输出Tensor及其维度")
    key_layer = Word(en="Key layer (in_ch -> out_ch)", zh="关键层定义 (in_ch -> out_ch)")
    previous = Word(en="(previous)", zh="(上一步输出)")
    previous_made_by = Word(en="(previous: {})", zh="(上一步输出: {})")
    attentions_left_out = Word(
        en="Without a row: {names}; {option} shows them.",
        zh="未列出：{names}；用 {option} 显示。",
    )
    not_applicable = Word(en="N/A", zh="N/A")

    # Trees and functions
    calls = Word(en="Calls", zh="调用")
    path = Word(en="Path", zh="路径")
    module_class = Word(en="Class", zh="类")
    attributes = Word(en="Attributes", zh="属性")
    own_parameters = Word(en="Own parameters", zh="自身参数量")
    called = Word(en="Call", zh="第几次调用")
    ops = Word(en="Functions", zh="函数")
    function = Word(en="Function", zh="函数")
    arguments = Word(en="Arguments", zh="参数")
    own_macs = Word(en="Own MACs", zh="自身 MACs")
    counted_above = Word(en="(above)", zh="（见上）")
    counted_at_first = Word(
        en="{}: called before, so its parameters are counted above.",
        zh="{}：之前已调用过，参数量已在上面计入。",
    )
    folded = Word(
        en="Calls folded into the rows above: {number}; {option} shows N levels, {every} all, "
        "with what modules are given and set to.",
        zh="已折叠进以上各行的调用：{number} 次；{option} 显示 N 层，{every} 显示全部，"
        "并列出各模块的输入与属性。",
    )
    never_called = Word(
        en="Never called: {names}.",
        zh="从未调用：{names}。",
    )
    counted_around = Word(
        en="What these hold counts in the row of the module around them.",
        zh="它们的参数量计入外层模块所在的行。",
    )

    # What made a tensor
    function_of = Word(en="{module}, {function}", zh="{module}，{function}")
    function_after = Word(en="{function} after {call}", zh="{call} 之后的 {function}")
    nth_function = Word(en="{function} no. {number}", zh="第 {number} 个 {function}")

    # Shipped configs
    configs = Word(en="Configs", zh="配置列表")
    family = Word(en="Family", zh="类")
    sample_size = Word(en="Sample", zh="输入尺寸")
    conditioning = Word(en="Conditioning", zh="条件")
    extends = Word(en="Extends", zh="继承")
    source = Word(en="Source", zh="来源")

    # Models side by side
    blocks_counted = Word(en="Blocks: down + middle + up", zh="模块数：下采样 + 中间 + 上采样")
    skips_counted = Word(en="Skips", zh="跨层连接数")
    ratio = Word(en="Ratio", zh="比值")
    ratios_to = Word(en="Ratios are to {}.", zh="比值以 {} 为 1。")
    shapes_and_options = Word(en="Shapes and options", zh="维度与选项")

    # Cost
    cost = Word(en="Cost of one forward pass", zh="一次前向传播的计算量")
    macs = Word(en="MACs", zh="MACs")
    flops = Word(en="FLOPs", zh="FLOPs")
    share = Word(en="Share", zh="占比")
    others = Word(en="{} more", zh="其余 {} 项")
    block = Word(en="Block", zh="模块")
    kind_of_work = Word(en="Kind of work", zh="运算类别")
    work_kinds = WordsByKey(
        {
            "convolution": Word(en="Convolution", zh="卷积"),
            "linear": Word(en="Linear", zh="线性层"),
            "self_attention": Word(en="Self-attention, core", zh="自注意力核心"),
            "cross_attention": Word(en="Cross-attention, core", zh="交叉注意力核心"),
            "joint_attention": Word(
                en="Self- and cross-attention, core", zh="自注意力兼交叉注意力核心"
            ),
            "product": Word(en="Other products", zh="其他矩阵乘法"),
            "products": Word(en="Attention's and other products", zh="注意力及其他矩阵乘法"),
            "element_wise": Word(en="Element-wise work", zh="逐元素运算"),
            "total": total,
        }
    )
    flops_convention = Word(
        en="1 MAC, one multiply-add, is 2 FLOPs. Biases and element-wise work are not counted.",
        zh="1 MAC（一次乘加）等于 2 FLOPs。偏置与逐元素运算不计入。",
    )
    flops_papers = Word(
        en="Many papers leave out attention's products: {macs} without them.",
        zh="许多论文不计注意力中的矩阵乘法：不计时为 {macs}。",
    )
    all_formulas = Word(
        en="Every kind of function has a formula or is known to do no multiply-adds.",
        zh="所有函数都有公式，或已知不做乘加运算。",
    )
    unseen = Word(
        en="Tensors that something unseen made: {}. What they were made from is not known, and may "
        "be missing here.",
        zh="由未观察到的代码产生的张量：{}。它们由什么得来未知，以上内容可能有缺。",
    )
    ragged = Word(
        en="Nested tensors, shown with their rows one after the other: {}.",
        zh="嵌套张量，各行首尾相接显示：{}。",
    )
    closed = Word(
        en="Not looked into for tensors: {}. What is in there may be missing here.",
        zh="未查看其中张量：{}。以上内容可能缺少其中的部分。",
    )
    no_form = Word(
        en="{mark}: the number at the sizes asked for, as no form in {symbols} was found that "
        "holds at all others that were tried.",
        zh="{mark}：所给尺寸下的数值；未找到以 {symbols} 表示、在试过的其他尺寸下都成立的公式。",
    )
    fixed_size = Word(
        en="No symbol for {symbol}, {size} here: the network did not run at other sizes, such as "
        "{tried}: {reason}",
        zh="{symbol}（此处为 {size}）没有符号：网络在其他尺寸（如 {tried}）下无法运行：{reason}",
    )
    deciding_size = Word(
        en="No symbol for {symbol}, {size} here: the network runs other functions at other sizes, "
        "such as {tried}.",
        zh="{symbol}（此处为 {size}）没有符号：网络在其他尺寸（如 {tried}）下运行的函数不同。",
    )
    no_formula = Word(
        en="Kinds of functions without a formula, not counted: {count} ({names}).",
        zh="没有公式、未计入的函数种类：{count}（{names}）。",
    )
    nested_costs = Word(
        en="These nest in each other, so they are not summed.",
        zh="各类相互嵌套，因此不求和。",
    )
    costs_add_up = Word(en="The rows add up to the total exactly.", zh="各行之和恰为合计。")
    uncounted = Word(
        en="Not counted: functions that do no multiply-adds",
        zh="未计入：不做乘加运算的函数",
    )
    uncounted_in_all = Word(
        en="Kinds of functions that do no multiply-adds: {kinds}, which ran {times} times and made "
        "{elements} elements; `--uncounted` lists them.",
        zh="不做乘加运算的函数共 {kinds} 种，运行 {times} 次，产生 {elements} 个元素；"
        "用 `--uncounted` 列出。",
    )
    without_formula = Word(
        en="Not counted: functions without a formula",
        zh="未计入：没有公式的函数",
    )
    times = Word(en="Times", zh="次数")
    elements = Word(en="Elements made", zh="产生的元素数")
    image_cost = Word(en="Cost of a whole image", zh="生成一张图像的计算量")
    denoising_steps = Word(en="Steps", zh="步数")
    passes_a_step = Word(en="Passes a step", zh="每步前向次数")
    forwards = Word(en="Forward passes", zh="前向总次数")
    sweep = Word(en="Cost by size of the inputs", zh="不同输入尺寸下的计算量")
    batch = Word(en="Batch", zh="批大小")
    height = Word(en="Height", zh="高")
    width = Word(en="Width", zh="宽")
    text_tokens = Word(en="Text tokens", zh="文本 token 数")
    attention = Word(en="Attention's products", zh="注意力中的矩阵乘法")
    all_else = Word(en="All else", zh="其余")
    attention_share = Word(en="Attention", zh="注意力占比")

    # Audit
    other_engine = Word(en="Theirs", zh="对方")
    difference = Word(en="Difference", zh="差值")
    explained = Word(en="Explained", zh="已解释")
    because = Word(en="Because", zh="原因")
    reasons = WordsByKey(
        {
            "filed": Word(
                en="classified by kernel there, by what is multiplied here",
                zh="对方按内核归类，这里按相乘的对象归类",
            ),
            "no_vectors": Word(
                en="torch has no formula for products with a vector",
                zh="torch 没有与向量相乘的公式",
            ),
            "no_attention": Word(
                en="fvcore has no formula for scaled_dot_product_attention",
                zh="fvcore 没有 scaled_dot_product_attention 的公式",
            ),
            "no_baddbmm": Word(
                en="fvcore has no formula for baddbmm", zh="fvcore 没有 baddbmm 的公式"
            ),
            "broadcasting": Word(
                en="fvcore's matmul ignores broadcasting", zh="fvcore 的 matmul 忽略广播"
            ),
            "rounding": Word(
                en="fvcore's einsum rounds to four digits",
                zh="fvcore 的 einsum 只保留四位有效数字",
            ),
            "counts_element_wise": Word(
                en="fvcore counts norms and resampling, which multiply no two tensors",
                zh="fvcore 计入归一化与重采样，它们不是两个张量相乘",
            ),
        }
    )
    all_explained = Word(en="Every difference is explained.", zh="所有差值都有解释。")
    not_explained = Word(en="Some differences are not explained.", zh="有差值没有解释。")

    # Memory
    memory = Word(en="Memory of one forward pass", zh="一次前向传播的内存")
    weights = Word(en="Weights", zh="权重")
    weights_of = Word(en="of these, {}", zh="其中 {}")
    added_by = Word(en="Added to features by {}", zh="{} 加到特征上的张量")
    buffers = Word(en="Buffers", zh="缓冲区")
    inputs = Word(en="Inputs", zh="输入")
    activation_peak = Word(en="Activations, peak", zh="激活值峰值")
    peak_by_last_use = Word(en="Peak by last use", zh="按最后使用计的峰值")
    peak_with_matrices = Word(en="Peak with attention matrices", zh="含注意力矩阵的峰值")
    inference_total = Word(en="Weights, inputs and peak", zh="权重、输入与峰值合计")
    size_in_module = Word(en="{size}, in {module}", zh="{size}，位于 {module}")
    memory_convention = Word(
        en="The peak is what Python held at the end of a function, with fused attention: callers "
        "keep tensors past their last use. With attention matrices, each attention also holds its "
        "scores and their softmax at once, (B, heads, queries, keys) each. Memory that a kernel "
        "allocates and frees inside one function is not seen.",
        zh="峰值是函数结束时 Python 实际持有的内存，注意力为融合实现：调用者会把张量保留到最后一"
        "次使用之后。含注意力矩阵时，每次注意力都写出分数及其 softmax，各为 (B, 头数, 查询数, "
        "键数)，且同时存在。函数内部临时占用又归还的内存不可见。",
    )
    unseen_matrices = Word(
        en="Attention functions of unknown implementation, counted as fused: {}.",
        zh="实现方式未知、按融合计的注意力函数：{}。",
    )
    weights_by_dtype = Word(en="Weights by element type", zh="各数据类型下的权重")
    bytes_each = Word(en="Bytes each", zh="每个元素的字节数")
    size_binary = Word(en="Size", zh="大小")
    size_decimal = Word(en="Decimal", zh="十进制")
    weights_convention = Word(
        en="1 GiB = 1024^3 bytes, 1 GB = 10^9. Every parameter is assumed to have this type; "
        "scales of quantised weights are not counted.",
        zh="1 GiB = 1024^3 字节，1 GB = 10^9 字节。假定每个参数都用该类型；量化权重的缩放系数不计"
        "。",
    )
    alive_at_peak = Word(en="Alive at the peak", zh="峰值时存活的张量")
    peak_place = Word(
        en="{size} at the end of {function} in {module}.",
        zh="{module} 中的 {function} 结束时：{size}。",
    )
    as_skip = Word(en="Skip", zh="跨层连接")
    memory_by_block = Word(en="Memory by block", zh="各模块的内存")
    peak_inside = Word(en="Peak inside", zh="内部峰值")
    held_after = Word(en="Held after", zh="结束后持有")
    waiting = Word(en="Waiting skips", zh="待弹出的跨层张量")
    waiting_bytes = Word(en="Waiting", zh="待弹出")
    skip_bytes = Word(en="Skips alive", zh="存活的跨层张量")
    most_waiting = Word(
        en="The skip stack holds {size} at most.",
        zh="跨层连接的栈最多占用 {size}。",
    )
    skip_lifetimes = Word(en="Lifetimes of the skips", zh="跨层张量的生命周期")
    made_in = Word(en="Made in", zh="产生于")
    joined_in = Word(en="Joined in", zh="拼接于")
    freed_in = Word(en="Freed in", zh="释放于")
    made_clock = Word(en="Made at", zh="产生时刻")
    joined_clock = Word(en="Joined at", zh="拼接时刻")
    freed_clock = Word(en="Freed at", zh="释放时刻")
    outlives = Word(en="never", zh="未释放")
    training = Word(en="Training, an estimate", zh="训练内存估计")
    item = Word(en="Item", zh="项目")
    gradients = Word(en="Gradients", zh="梯度")
    moments = Word(en="Adam's two moments, float32", zh="Adam 的两个矩，float32")
    master_weights = Word(en="Master weights, float32", zh="主权重，float32")
    kept_activations = Word(en="Activations kept for backward", zh="为反向传播保留的激活值")
    training_assumptions = Word(
        en="Assumed: one step at this batch and these sizes; every parameter is trained, by "
        "Adam; half-precision weights have float32 masters and gradients of their own type; "
        "nothing is recomputed or offloaded; dropout keeps no masks. Not counted: statistics "
        "of norms and attention (about 1 % of the activations), gradients of activations, "
        "workspaces of kernels.",
        zh="假定：以此批量与尺寸训练一步；用 Adam 训练全部参数；半精度权重另有 float32 主权重，梯"
        "度与权重同类型；不重算、不卸载；dropout 不保留掩码。不计：归一化与注意力的统计量（约"
        "为激活值的 1 %）、激活值的梯度、内核的工作区。",
    )
    kept_whole = Word(
        en="Assumed to keep all their inputs and outputs: {}.",
        zh="假定保留全部输入与输出的函数：{}。",
    )
    measured = Word(en="Measured", zh="实测")
    predicted_peak = Word(en="Predicted peak", zh="预测峰值")
    measured_peak = Word(en="Measured peak", zh="实测峰值")
    error = Word(en="Error", zh="误差")
    median_time = Word(en="Time", zh="时间")
    whole_pass = Word(en="Whole pass", zh="整次前向传播")
    measured_how = Word(
        en="{device}, {dtype}: median of {runs} runs after {warm_up} to warm up; random weights "
        "and inputs.",
        zh="{device}，{dtype}：预热 {warm_up} 次后运行 {runs} 次取中位数；权重与输入为随机数。",
    )
    measured_memory = Word(
        en="Peaks are torch.cuda.max_memory_allocated without the {held} held before a pass: "
        "weights, inputs and {workspace} that libraries keep. The prediction rounds storages "
        "up to 512 B; the allocator may give a large one up to 1 MiB more, and libraries take "
        "workspaces.",
        zh="峰值为 torch.cuda.max_memory_allocated 减去前向传播前已持有的 {held}：权重、输入以及"
        "库所保留的 {workspace}。预测按 512 B 向上取整；分配器给大块内存可能多至 1 MiB，库另取"
        "工作区。",
    )
    measured_no_memory = Word(
        en="Peaks are predicted: what the CPU's allocator hands out is not measured.",
        zh="峰值为预测值：不测量 CPU 分配器的实际用量。",
    )

    # Parameters
    tensor = Word(en="Tensor", zh="张量")
    stage = Word(en="Stage", zh="阶段")
    module_kind = Word(en="Kind", zh="种类")
    inside = Word(en="Inside", zh="位于")
    merge_block = Word(en="Merge block", zh="融合块 (MBW)")
    also_named = Word(en="Also named", zh="别名")
    rest_of_transformer = Word(en="SpatialTransformer, rest", zh="SpatialTransformer 其余")
    pass_failed = Word(
        en="The forward pass failed in {}: {}. What modules hold is counted all the same.",
        zh="前向过程在 {} 中失败：{}。各模块持有的参数仍照常统计。",
    )
    rows_add_up = Word(
        en="The rows add up to the total exactly: each parameter is counted in one of them.",
        zh="各行相加恰好等于总计：每个参数只出现在一行中。",
    )
    selected = Word(
        en="{tensors} tensors match {glob}: {parameters} of {total} parameters.",
        zh="{glob} 匹配 {tensors} 个张量：{total} 个参数中的 {parameters} 个。",
    )
    lora = Word(en="LoRA, rank {}", zh="LoRA (rank {})")
    no_lora = Word(
        en="Tensors that take no LoRA (biases, norms, embeddings): {count}.",
        zh="不加 LoRA 的张量（偏置、归一化、嵌入）：{count}。",
    )

    in_state_dict = Word(en="In state_dict", zh="在 state_dict 中")

    # One module
    what_it_is = Word(en="What it is", zh="说明")
    module = Word(en="Module", zh="模块路径")
    in_part = Word(en="Part", zh="所属部分")
    compvis_name = Word(en="CompVis name", zh="CompVis 名称")
    config_keys = Word(en="Shaped by", zh="相关配置项")
    shapes = Word(en="Shapes", zh="输入与输出维度")
    direction = Word(en="Direction", zh="方向")
    goes_in = Word(en="in", zh="输入")
    comes_out = Word(en="out", zh="输出")
    comes_from = Word(en="From", zh="来自")
    channels = Word(en="Channels", zh="通道数")
    channels_of = Word(en="{number} from {producer}", zh="{number} 来自 {producer}")
    channels_of_skip = Word(
        en="{number} from skip {push}, pushed by {producer}",
        zh="{number} 来自跨层连接 {push}（由 {producer} 压入）",
    )
    channels_set = Word(en="{number}, set by {producer}", zh="{number}，由 {producer} 决定")
    channels_kept = Word(en="{number}, as they came in", zh="{number}，与输入相同")
    layers_cost = Word(en="Parameters and multiply-adds", zh="参数量与乘加运算")
    layer = Word(en="Layer", zh="层")
    formula = Word(en="Formula", zh="公式")
    macs_formula = Word(en="MACs, formula", zh="MACs 公式")
    attention_inside = Word(en="Attention", zh="注意力")
    heads = Word(en="Heads x head dim", zh="头数 x 宽度")
    queries_keys = Word(en="Queries x keys", zh="查询数 x 键数")
    query_from = Word(en="Q from", zh="Q 来自")
    key_from = Word(en="K from", zh="K 来自")
    value_from = Word(en="V from", zh="V 来自")
    as_tokens = Word(en="Map to tokens", zh="特征图转为序列")
    by_default = Word(en="{} (default)", zh="{}（默认）")
    not_decided = Word(en="perhaps {}", zh="可能还有 {}")
    never_perturbed = Word(
        en="not known: no option was tried in a network with such a module",
        zh="未知：尚未在含有这种模块的网络中试过各配置项",
    )
    found_modules = Word(en="Modules", zh="模块列表")

    # Differences
    changes = Word(en="Changes", zh="变化")
    severity = Word(en="Severity", zh="级别")
    severities = WordsByKey(
        {
            "breaking": Word(en="breaking", zh="不兼容"),
            "behavioural": Word(en="behavioural", zh="行为"),
            "cost": Word(en="cost", zh="开销"),
            "cosmetic": Word(en="cosmetic", zh="命名"),
        }
    )
    change = Word(en="Change", zh="变化")
    where = Word(en="Where", zh="位置")
    what = Word(en="What", zh="内容")
    before = Word(en="Before", zh="之前")
    after = Word(en="After", zh="之后")
    total_names = WordsByKey(
        {
            "params": parameters,
            "macs": macs,
            "activation-memory": activation_peak,
        }
    )
    no_change = Word(en="{new} is the same network as {old}.", zh="{new} 与 {old} 是同一个网络。")
    no_change_seen = Word(
        en="{new} is the same network as {old}, as far as can be seen.",
        zh="就可见部分而言，{new} 与 {old} 是同一个网络。",
    )
    only_renamed_seen = Word(
        en="{new} is the same network as {old}, as far as can be seen, up to renaming.",
        zh="就可见部分而言，{new} 与 {old} 除命名外是同一个网络。",
    )
    opaque = Word(
        en="Compared by name alone, for what they compute is not seen: {}.",
        zh="仅按名称比较，其计算内容不可见：{}。",
    )
    opaque_advice = Word(
        en="`--verify cpu` runs both networks and compares what they return.",
        zh="`--verify cpu` 会运行两个网络并比较其输出。",
    )
    # Locks
    locks = Word(en="Locks", zh="锁文件")
    lock = Word(en="Lock", zh="锁文件")
    state = Word(en="State", zh="状态")
    locks_good = Word(en="Locks: {all}, all is well.", zh="锁文件：{all} 个，均正常。")
    locks_bad = Word(
        en="Locks: {all}, not as they should be: {bad}.", zh="锁文件：{all} 个，不正常：{bad} 个。"
    )
    lock_states = WordsByKey(
        {
            "current": Word(en="current", zh="最新"),
            "written": Word(en="written", zh="已写入"),
            "missing": Word(en="missing", zh="缺失"),
            "stale": Word(en="stale", zh="过期"),
            "orphaned": Word(en="orphaned", zh="无主"),
            "colliding": Word(en="colliding", zh="冲突"),
            "unreadable": Word(en="unreadable", zh="无法读取"),
            "unchecked": Word(en="unchecked", zh="未检查"),
        }
    )
    lock_is = Word(en="{lock} is {state}", zh="{lock} {state}")
    staleness = WordsByKey(
        {
            "network": Word(en="the network changed", zh="网络有变化"),
            "layout": Word(en="the same network in another layout", zh="网络相同，写法不同"),
            "config": Word(en="the same network from another config", zh="网络相同，配置不同"),
        }
    )
    lock_writer = Word(en="`{}` writes it", zh="`{}` 会写入")
    orphan = Word(
        en="its config is gone; delete it, or put a lock that `-o` wrote into a folder without "
        "configs",
        zh="其配置已不存在；请删除，或将由 `-o` 写入的锁文件移到没有配置的文件夹",
    )
    collision = Word(en="{} would have this lock; rename one", zh="{} 会共用此锁文件；请改名")

    only_renamed = Word(
        en="{new} is the same network as {old}, up to renaming.",
        zh="{new} 与 {old} 除命名外是同一个网络。",
    )
    same_tensors = Word(
        en="{new} has the same tensors as {old}; nothing else was compared.",
        zh="{new} 与 {old} 的张量相同；未比较其他内容。",
    )
    only_tensors_renamed = Word(
        en="{new} has the same tensors as {old}, up to renaming; nothing else was compared.",
        zh="{new} 与 {old} 除命名外张量相同；未比较其他内容。",
    )
    counted_changes = Word(
        en="From {old} to {new}: {counts}; {advice}.", zh="从 {old} 到 {new}：{counts}；{advice}。"
    )
    advice = WordsByKey(
        {
            "checkpoints": Word(
                en="old checkpoints do not load: convert or retrain them",
                zh="旧权重无法加载：需转换或重新训练",
            ),
            "weights": Word(
                en="these weights do not fit: convert them, or take the config that they belong to",
                zh="权重与网络不符：需转换权重，或改用对应的配置",
            ),
            "callers": Word(
                en="callers have to pass or take other tensors", zh="调用方需改用其他输入或输出"
            ),
            "behavioural": Word(
                en="old checkpoints load and give other results: see that this is meant",
                zh="旧权重可加载，但结果不同：请确认是否有意为之",
            ),
            "cost": Word(
                en="results stay the same: see that the cost is meant",
                zh="结果不变：请确认开销是否可以接受",
            ),
        }
    )
    rename_tensors = Word(
        en=" Rename the tensors of old checkpoints: `--renamed` lists them.",
        zh="旧权重中的张量需改名：`--renamed` 列出全部。",
    )
    severity_titles = WordsByKey(
        {
            "breaking": Word(
                en="Breaking: old checkpoints or callers fail", zh="不兼容：旧权重或调用方会出错"
            ),
            "behavioural": Word(
                en="Behavioural: the same tensors, another result", zh="行为：张量相同，结果不同"
            ),
            "cost": Word(en="Cost: other work, the same result", zh="开销：结果相同，开销不同"),
            "cosmetic": Word(en="Cosmetic: other names", zh="命名：仅名称不同"),
        }
    )
    more_changes = Word(en="{} more: `--all` shows them.", zh="另有 {} 项：用 `--all` 查看。")
    whole_network = Word(en="the network", zh="整个网络")
    count_of_parameters = Word(en="{count} parameters", zh="{count} 个参数")
    count_of_elements = Word(en="{count} elements", zh="{count} 个元素")
    in_tensors = Word(en="{} tensors", zh="{} 个张量")
    in_skips = Word(en="{} skips", zh="{} 个跨层连接")
    in_modules = Word(en="{} modules", zh="{} 个模块")
    in_ends = Word(en="{} inputs and outputs", zh="{} 个输入与输出")
    in_joins = Word(en="{} joins", zh="{} 处连接")
    more_blocks = Word(en="{} more", zh="另外 {} 处")
    more_edits = Word(en="{} more edits", zh="另外 {} 处改动")
    between_entries = Word(en="after {after}, before {before}", zh="在 {after} 之后、{before} 之前")
    after_entry = Word(en="after {after}", zh="在 {after} 之后")
    before_entry = Word(en="before {before}", zh="在 {before} 之前")
    moved = Word(en="{what} moved: ", zh="{what} 移动：")
    other_flow = Word(
        en="the same functions in other modules or on other operands",
        zh="函数相同，但所在模块或操作数不同",
    )
    more_dims = Word(en="and others", zh="等")
    reordered = WordsByKey(
        {
            "pop": Word(en="pop {old} -> {new}", zh="弹出 {old} -> {new}"),
            "operand": Word(en="operand {old} -> {new}", zh="操作数 {old} -> {new}"),
        }
    )
    result_differs = Word(
        en="relative difference {difference}, above {tolerance}",
        zh="相对差 {difference}，超过 {tolerance}",
    )
    result_equal = Word(
        en="Run on {device} in {dtype} with equal weights and inputs: the outputs are equal, to a "
        "relative difference of {difference}; the tolerance is {tolerance}.",
        zh="以相同的权重与输入在 {device} 上以 {dtype} 运行：输出相同，相对差为 {difference}，容差"
        "为 {tolerance}。",
    )
    result_unequal = Word(
        en="Run on {device} in {dtype} with equal weights and inputs: the outputs differ, most in "
        "{output}, by a relative difference of {difference}; the tolerance is {tolerance}.",
        zh="以相同的权重与输入在 {device} 上以 {dtype} 运行：输出不同，{output} 差别最大，相对差为 "
        "{difference}，容差为 {tolerance}。",
    )
    result_reshaped = Word(
        en="Run on {device} in {dtype} with equal weights and inputs: the outputs differ in shape, "
        "such as {output}.",
        zh="以相同的权重与输入在 {device} 上以 {dtype} 运行：输出的维度不同，例如 {output}。",
    )
    result_in_spite = Word(
        en="So the changes make no difference to these weights and inputs; they still count.",
        zh="因此上述变化对这组权重与输入没有影响；仍按变化计。",
    )
    constant_outputs = Word(
        en="One number everywhere, so that it tells little: {}.",
        zh="处处为同一数值，说明不了什么：{}。",
    )
    drawn_alone = Word(
        en="Not in {name}, so drawn for one network alone: {tensors}.",
        zh="{name} 中没有、仅为另一网络抽取的张量：{tensors}。",
    )
    other_values = Word(en="Buffers whose values differ: {}.", zh="数值不同的缓冲区：{}。")
    verified_case = Word(en="outputs on {}", zh="{} 上的输出")
    config_changed = Word(en="What differs in the config", zh="配置中的差异")
    key = Word(en="Key", zh="键")
    new_names = Word(en="Other names", zh="其他名称")
    passes = Word(en="Passes: nothing at or above {bar}.", zh="通过：没有达到 {bar} 级别的变化。")
    breaks_bar = Word(
        en="Fails: {counts}; --fail-on {bar} allows no change of severity {bar} or worse.",
        zh="不通过：{counts}；--fail-on {bar} 不允许 {bar} 及以上的变化。",
    )
    breaks_class = Word(
        en="{id} in {where}: {severity}, and no change of severity {bar} or worse is allowed.",
        zh="{where} 中的 {id}：{severity}级别，{bar} 及以上不通过。",
    )
    breaks_deny = Word(en="{id} in {where}: denied.", zh="{where} 中的 {id}：禁止。")
    breaks_bound = Word(
        en="{total}: {measured} is above {limit}, the bound that --{option} {bound} sets.",
        zh="{total}：{measured} 超过 {limit}，即 --{option} {bound} 设定的上限。",
    )
    all_changes = Word(en="All changes", zh="全部变化")
    left_out = Word(en="{} more are left out here.", zh="此处省略另外 {} 项。")
    compared_models = Word(en="Models", zh="模型")

    # What a branch changed
    nothing_changed = Word(
        en="Nothing changed since {base}: 0 of {all} networks.",
        zh="自 {base} 以来没有变化：{all} 个网络中 0 个。",
    )
    branch_passes = Word(
        en="Passes: {changed} of {all} networks changed since {base}, none beyond what is allowed.",
        zh="通过：自 {base} 以来 {all} 个网络中有 {changed} 个变化，均在允许范围内。",
    )
    branch_fails = Word(
        en="Fails: {changed} of {all} networks changed since {base}, {failed} of them beyond what "
        "is allowed. Undo that, or allow it.",
        zh="不通过：自 {base} 以来 {all} 个网络中有 {changed} 个变化，其中 {failed} 个超出允许"
        "范围。请撤销或予以允许。",
    )
    branch_not_done = Word(
        en="Not done: {broken} of {all} networks cannot be read or run. Mend them; the others are "
        "compared with {base}: {changed} changed, {failed} of them beyond what is allowed.",
        zh="未完成：{all} 个网络中有 {broken} 个无法读取或运行，请先修复。其余已与 {base} 比较："
        "{changed} 个变化，{failed} 个超出允许范围。",
    )
    network = Word(en="Network", zh="网络")
    status = Word(en="Status", zh="状态")
    statuses = WordsByKey(
        {
            "unchanged": Word(en="unchanged", zh="未变"),
            "text-only": Word(en="text only", zh="仅文本"),
            "changed": Word(en="changed", zh="已更改"),
            "base-changed": Word(en="base changed", zh="基础配置已更改"),
            "renamed": Word(en="renamed", zh="已改名"),
            "new": Word(en="new", zh="新增"),
            "mended": Word(en="mended", zh="已修复"),
            "deleted": Word(en="deleted", zh="已删除"),
            "unreadable": Word(en="unreadable", zh="无法读取"),
        }
    )
    conclusion = Word(en="Verdict", zh="结论")
    conclusions = WordsByKey(
        {
            "passes": Word(en="passes", zh="通过"),
            "fails": Word(en="fails", zh="不通过"),
            "unknown": Word(en="not known", zh="未知"),
        }
    )
    of_files = WordsByKey(
        {
            "network-deleted": Word(en="its file is gone", zh="文件已删除"),
            "network-renamed": Word(en="its file has another name", zh="文件已改名"),
            "text-changed": Word(
                en="its text changed, the network is the same", zh="文本有变化，网络相同"
            ),
        }
    )
    change_alike = Word(
        en="{count} networks change alike: {names}", zh="{count} 个网络变化相同：{names}"
    )
    likewise = Word(en="This line also concerns: {}.", zh="此行还涉及：{}。")
    bar_of_branch = Word(
        en="--fail-on {bar} allows no change of severity {bar} or worse.",
        zh="--fail-on {bar} 不允许 {bar} 及以上的变化。",
    )
    unreadable_then = Word(
        en="It could not be read at {base}, so nothing is known of what changed: {error}",
        zh="在 {base} 时无法读取，因此变化未知：{error}",
    )
    orphaned = Word(
        en="{lock} belongs to no config any more: delete it, or move it with its config.",
        zh="{lock} 已不属于任何配置：请删除，或随配置一起移动。",
    )
    more_findings = Word(
        en="{} more are in the summary of the job, among them:", zh="另有 {} 项见作业摘要，其中："
    )
    tables_left_out = Word(
        en="{} more tables are left out here, as a comment holds 65,536 characters; the summary of "
        "the job and `--format json` have them.",
        zh="评论最多 65,536 个字符，此处省略另外 {} 张表；作业摘要与 `--format json` "
        "中有全部内容。",
    )

    # History
    history = Word(en="History", zh="历史")
    commit = Word(en="Commit", zh="提交")
    date = Word(en="Date", zh="日期")
    author = Word(en="Author", zh="作者")
    subject = Word(en="Subject", zh="说明")
    commit_did = WordsByKey(
        {
            "created": Word(en="created", zh="新建"),
            "earliest": Word(
                en="what was before is not in this shallow clone", zh="浅克隆中没有更早的历史"
            ),
            "changed": Word(en="no change of the network", zh="网络未变"),
            "broken": Word(en="broken: {}", zh="无效：{}"),
            "mended": Word(en="valid again, the network as before", zh="恢复有效，网络与此前相同"),
            "mended_changed": Word(en="valid again: {}", zh="恢复有效：{}"),
            "mended_first": Word(
                en="valid; no network before it is known", zh="有效；此前没有已知的网络"
            ),
            "removed": Word(en="removed", zh="删除"),
        }
    )
    commits_counted = Word(
        en="{found} of {commits} commits that touch the file or what it extends changed the "
        "network.",
        zh="修改该文件或其所扩展文件的提交有 {commits} 个，其中 {found} 个改变了网络。",
    )
    commits_cut = Word(
        en="The latest {found} that changed the network; earlier ones are left out. {commits} "
        "commits touch the file or what it extends.",
        zh="仅显示最近 {found} 个改变网络的提交，更早的未显示；修改该文件或其所扩展文件的提交有 "
        "{commits} 个。",
    )
    read_from_locks = Word(
        en="Read from their locks and not traced: {count}.",
        zh="由 lock 文件读取、未追踪：{count}。",
    )
    first_is_bad = Word(
        en="{commit}, the first commit that describes a network, does not pass.",
        zh="{commit} 是第一个描述了网络的提交，它不通过。",
    )
    first_bad = Word(
        en="{commit} is the first bad commit, compared with {base}.",
        zh="与 {base} 相比，{commit} 是第一个不通过的提交。",
    )
    all_commits_pass = Word(
        en="No commit fails, compared with {base}.", zh="与 {base} 相比，所有提交均通过。"
    )
    bad_before = Word(
        en="The network fails at {base} already, before the range.",
        zh="在范围之前的 {base} 处，网络已不通过。",
    )
    last_unread = Word(
        en="Not known: the last commits describe no network: {commits}. No earlier one fails.",
        zh="无法判断：最后的提交未描述任何网络：{commits}。更早的提交均通过。",
    )
    or_one_of = Word(
        en="It may have been one of those right before it, which describe no network: {commits}.",
        zh="也可能是紧接其前、未描述任何网络的提交之一：{commits}。",
    )
    passes_again = Word(
        en="At the end of the history the network passes again.", zh="在历史末尾，网络重新通过。"
    )

    # Findings of a config
    file = Word(en="File", zh="文件")
    line = Word(en="Line", zh="行")
    column = Word(en="Column", zh="列")
    message = Word(en="Message", zh="说明")
    hint = Word(en="hint", zh="提示")
    checked = Word(
        en="Errors: {errors}. Warnings: {warnings}.",
        zh="错误：{errors}。警告：{warnings}。",
    )
    rules = Word(en="Rules", zh="规则")
    meaning = Word(en="Meaning", zh="含义")
    found_in = Word(en="Found in", zh="发现于")
    static = Word(en="config", zh="配置")
    traced = Word(en="trace", zh="追踪")
    nothing_found = Word(en="Nothing found.", zh="没有发现问题。")
    sometimes = Word(en="some", zh="部分")
    multiples = Word(en="multiples of {}", zh="{} 的倍数")
    multiples_not = Word(en="multiples of {}, not of {}", zh="{} 的倍数，但不是 {} 的")
    odd_numbers = Word(en="odd numbers", zh="奇数")
    sides = Word(en="Height or width", zh="高或宽")
    works = Word(en="Works", zh="可用")
    smallest = Word(en="Smallest", zh="最小")
    example = Word(en="Example", zh="示例")
    maps_by_level = Word(en="Its feature maps", zh="其特征图")
    odd_level = Word(en="Odd at level", zh="奇数层级")
    legal_sizes = Word(en="Input sizes of {}", zh="{} 的输入尺寸")
    levels = WordsByKey(
        {
            "error": Word(en="error", zh="错误"),
            "warning": Word(en="warning", zh="警告"),
        }
    )
    about = WordsByKey(
        {
            "GSC": Word(
                en="GroupNorm, SiLU and a convolution in sequence: the smallest unit that articles "
                "draw.",
                zh="GroupNorm、SiLU 与卷积依次相连：文章所画的最小组件。",
            ),
            "DownSample": Word(en="Lowers the resolution.", zh="降低分辨率。"),
            "UpSample": Word(en="Raises the resolution.", zh="提高分辨率。"),
            "ResNetBlock": Word(
                en="Two convolutions, each after a norm and an activation, conditioned on the time "
                "step between them, with a residual connection.",
                zh="两个卷积，各在归一化与激活函数之后，中间加入时间嵌入，并带残差连接。",
            ),
            "SelfAttention": Word(
                en="Each position of the image attends to all the others.",
                zh="图像的每个位置读取其他所有位置。",
            ),
            "CrossAttention": Word(
                en="Each position of the image attends to other tokens: of a text, an image or a "
                "class.",
                zh="图像的每个位置读取其他序列：文本、图像或类别的 token。",
            ),
            "FeedForward": Word(
                en="Expands the channels of each token and reduces them again, each token "
                "by itself.",
                zh="把每个 token 先变宽再变窄，彼此独立。",
            ),
            "BasicTransformerBlock": Word(
                en="Attention and a feed-forward network, each after a LayerNorm and with a "
                "residual connection.",
                zh="注意力与前馈网络，各在 LayerNorm 之后，并带残差连接。",
            ),
            "SpatialTransformer": Word(
                en="Turns the image into a sequence of tokens, runs transformer blocks on it, "
                "and turns it back.",
                zh="把图像变成 token 序列，经过 Transformer 块，再变回图像。",
            ),
            "DownBlock": Word(
                en="ResNets of the encoder at one resolution.",
                zh="Encoder 中同一分辨率的 ResNet。",
            ),
            "UpBlock_X": Word(
                en="ResNets of the decoder at one resolution, each joined with a skip.",
                zh="Decoder 中同一分辨率的 ResNet，各与一个跨层连接拼接。",
            ),
            "CrossAttnDownBlock_X": Word(
                en="ResNets of the encoder at one resolution, with cross-attention to what the "
                "network is conditioned on.",
                zh="Encoder 中同一分辨率的 ResNet，配有读取条件的交叉注意力。",
            ),
            "CrossAttnUpBlock_X": Word(
                en="ResNets of the decoder at one resolution, each joined with a skip, with "
                "cross-attention to what the network is conditioned on.",
                zh="Decoder 中同一分辨率的 ResNet，各与一个跨层连接拼接，"
                "配有读取条件的交叉注意力。",
            ),
            "CrossAttnMidBlock": Word(
                en="ResNets at the lowest resolution, with cross-attention to what the network is "
                "conditioned on.",
                zh="最低分辨率的 ResNet，配有读取条件的交叉注意力。",
            ),
            "AttnDownBlock_X": Word(
                en="ResNets of the encoder at one resolution, with self-attention.",
                zh="Encoder 中同一分辨率的 ResNet，配有自注意力。",
            ),
            "AttnUpBlock_X": Word(
                en="ResNets of the decoder at one resolution, each joined with a skip, with "
                "self-attention.",
                zh="Decoder 中同一分辨率的 ResNet，各与一个跨层连接拼接，配有自注意力。",
            ),
            "MidBlock": Word(en="ResNets at the lowest resolution.", zh="最低分辨率的 ResNet。"),
            "TimeEmbedding": Word(
                en="Turns the time step into a vector: sines and cosines of many frequencies, then "
                "linear layers. ResNets read it to know how much noise to expect.",
                zh="把时间步变成向量：先取多种频率的正弦与余弦，再经过线性层。ResNet 据此得知噪声"
                "的强度。",
            ),
            "AttnMidBlock": Word(
                en="ResNets at the lowest resolution, with self-attention.",
                zh="最低分辨率的 ResNet，配有自注意力。",
            ),
        }
    )

    # The embedding of the time
    time_layer = Word(en="Time layer", zh="时间嵌入层")
    time_embedding_of = Word(en="Embedding of the time in {}", zh="{} 的时间嵌入")
    schedule = Word(en="Time steps", zh="时间步数")
    order = Word(en="Order", zh="顺序")
    wave_orders = WordsByKey(
        {
            "sin-cos": Word(en="all sines, then all cosines", zh="先全部正弦，后全部余弦"),
            "cos-sin": Word(en="all cosines, then all sines", zh="先全部余弦，后全部正弦"),
            "sin-cos-alternating": Word(
                en="sine and cosine in turns, a sine first", zh="正弦与余弦交替，正弦在前"
            ),
            "cos-sin-alternating": Word(
                en="cosine and sine in turns, a cosine first", zh="余弦与正弦交替，余弦在前"
            ),
            "sin": Word(en="sines alone", zh="仅正弦"),
            "cos": Word(en="cosines alone", zh="仅余弦"),
            "mixed": Word(en="another, see the functions", zh="其他顺序，见各通道的函数"),
        }
    )
    highest_frequency = Word(en="Highest frequency", zh="最高频率")
    lowest_frequency = Word(en="Lowest frequency", zh="最低频率")
    time_units = Word(
        en="Found by running this layer alone: a channel is sin(f t) or cos(f t) of the time t in "
        "steps; f in radians a step, the period 2 pi / f in steps.",
        zh="由单独运行该层得到：每个通道是时间 t（以步计）的 sin(f t) 或 cos(f t)；"
        "f 以弧度/步计，周期 2 pi / f 以步计。",
    )
    time_units_in_body = Word(
        en="Found by running the network up to here: a channel is sin(f t) or cos(f t) of the time "
        "t in steps; f in radians a step, the period 2 pi / f in steps.",
        zh="由把网络运行到此处得到：每个通道是时间 t（以步计）的 sin(f t) 或 cos(f t)；"
        "f 以弧度/步计，周期 2 pi / f 以步计。",
    )
    time_logarithm = Word(
        en="It takes the logarithm: f is in radians for each unit of ln t, and there is no period.",
        zh="该层先取对数：f 以弧度/（ln t 的单位）计，没有周期。",
    )
    frequencies_held = Word(
        en="The frequencies are parameters: a checkpoint has its own; these are what the code "
        "draws with seed 0.",
        zh="频率是参数：检查点有自己的值；此处为代码以随机种子 0 抽取的值。",
    )
    frequencies = Word(en="Frequencies by channel", zh="各通道的频率")
    channel = Word(en="Channel", zh="通道")
    frequency = Word(en="Frequency", zh="频率")
    period = Word(en="Period", zh="周期")
    turns = Word(en="Turns in {} steps", zh="{} 步内的周数")
    channels_shown = Word(
        en="{} of {} channels; `--channels all` shows the others.",
        zh="显示 {} / {} 个通道；`--channels all` 显示其余。",
    )
    values_at = Word(en="Values", zh="取值")
    similarity = Word(en="Cosine similarity of t and t + distance", zh="t 与 t + 距离 的余弦相似度")
    distance = Word(en="Distance", zh="距离")
    mean = Word(en="Mean", zh="平均")
    lowest = Word(en="Lowest", zh="最低")
    highest = Word(en="Highest", zh="最高")
    similarity_means = Word(
        en="Over all t of the schedule. A sine and a cosine of each frequency make it depend on "
        "the distance alone: then the lowest is the highest.",
        zh="对调度中的所有 t。若每个频率各有一个正弦和一个余弦，则它只取决于距离："
        "最低值等于最高值。",
    )
    time_step = Word(en="time step t", zh="时间步 t")
    each_cell_a_mean = Word(
        en="Each place is the mean of {} steps, from -1 to 1, low to high: what is faster is flat",
        zh="每格为 {} 步的平均，从 -1（低）到 1（高）：更快的变化显示为平线",
    )

    # The drawing of two networks
    overlay_marks = WordsByKey(
        {
            "+": Word(en="here only in {new}", zh="此处仅 {new} 有"),
            "-": Word(en="here only in {old}", zh="此处仅 {old} 有"),
            "~": Word(en="changed, or of other shapes", zh="有变化，或维度不同"),
            "": Word(en="the same in both", zh="两者相同"),
        }
    )
    overlay_ids = Word(
        en="At a block stand the ids under which `unetscope diff` lists the changes in it and "
        "those of the skips that it pops; x 2: two rows there.",
        zh="模块处写有 `unetscope diff` 列出其中变化以及其弹出的跨层连接的变化所用的标识；"
        "x 2 表示那里有两行。",
    )
    overlay_changed = Word(
        en="In a block of both, - stands before the shapes in {old}, + before those in {new}, and "
        "> between two names.",
        zh="两者共有的模块中，- 后为 {old} 中的维度，+ 后为 {new} 中的维度，> 连接新旧两个名称。",
    )
    overlay_shares = Word(
        en="Shares are those of {new}; of a block that is only in {old}, those of {old}.",
        zh="占比均以 {new} 为准；仅在 {old} 中的模块以 {old} 为准。",
    )
    reads_as_numbered_skip = Word(
        en="An arc is a skip: #, its push in the ledger (#3>2: in the ledgers of both); channels "
        "and size.",
        zh="每条弧线是一个跨层连接：# 后为台账中的压入编号（#3>2：新旧台账中的编号），"
        "其后为通道数和尺寸。",
    )
    drawn_changes = Word(en="{}, drawn", zh="{} 的图")
    drawings_left_out = Word(
        en="{} drawings are left out here, as a comment holds 65,536 characters; `unetscope draw` "
        "draws them, given the old network and the new one.",
        zh="评论最多 65,536 个字符，此处省略 {} 张图；`unetscope draw` 给定新旧两个网络"
        "可画出它们。",
    )
    overlay_outside = Word(
        en="Changes outside the blocks: {}.", zh="不在图中任何模块内的变化：{}。"
    )

    # The drawing
    drawn_parts = WordsByKey(
        {
            "entry": Word(en="entry", zh="入口"),
            "encoder": Word(en="encoder", zh="编码器"),
            "middle": Word(en="middle", zh="中间模块"),
            "decoder": Word(en="decoder", zh="解码器"),
            "exit": Word(en="exit", zh="出口"),
            "": Word(en="other blocks", zh="其他模块"),
        }
    )
    reads_as_u = Word(
        en="The encoder goes down on the left, the decoder up on the right, the middle is below.",
        zh="编码器在左侧自上而下，解码器在右侧自下而上，中间模块在下方。",
    )
    u_at_a_glance = Word(en="The U", zh="U 形")
    reads_as_small_u = Word(
        en="A row is a resolution: encoder on the left, decoder on the right; between, its skips, "
        "by push.",
        zh="每行一个分辨率：左为编码器，右为解码器；中间为该分辨率的跨层连接（# 后为压入编号）。",
    )
    reads_as_box = Word(
        en="A box: the block and its share of the parameters; channels and size, in and out, and "
        "its share of the multiply-adds.",
        zh="每个方框：模块及其参数量占比；输入与输出的通道数和尺寸，以及乘加运算量占比。",
    )
    reads_as_columns = Word(
        en="Steps go down, and lower resolutions stand further to the right. A step: the block; "
        "channels and size, in and out; its shares of the parameters and the multiply-adds.",
        zh="步骤自上而下，分辨率越低越靠右。每一步：模块；输入与输出的通道数和尺寸；"
        "参数量与乘加运算量的占比。",
    )
    reads_as_skip = Word(
        en="An arc is a skip: #, its push in the ledger; channels and size.",
        zh="每条弧线是一个跨层连接：# 后为台账中的压入编号，其后为通道数和尺寸。",
    )
    reads_as_many_skips = Word(
        en=" #1-9: so many of one shape, drawn as one.",
        zh="#1-9：形状相同的多个连接，合画为一条。",
    )
    too_narrow_for_u = Word(
        en="The terminal is too narrow for a U: blocks stand in columns by resolution.",
        zh="终端太窄，画不下 U 形：各模块按分辨率分列。",
    )
    no_room_for_skips = Word(
        en="The terminal is too narrow for its {} skips, which a wider one shows.",
        zh="终端太窄，未画出 {} 个跨层连接；更宽的终端会显示。",
    )
    drawn_crossing = Word(en="Dashed: popped out of order.", zh="虚线：弹出次序不符。")
    drawn_height = Word(
        en="height of a bar: log of the size, up to {}", zh="条的高度：尺寸的对数，最大 {}"
    )
    drawn_width = Word(en="width of a bar: channels, up to {}", zh="条的宽度：通道数，最大 {}")
    drawn_branches = Word(
        en="A block without a line from the one before takes what an earlier one made.",
        zh="与前一模块之间没有连线的模块，取用更早的结果。",
    )
    drawn_rest = Word(
        en="In no block: {parameters} of the parameters, {macs} of the multiply-adds.",
        zh="不属于图中任何模块：参数量的 {parameters}，乘加运算量的 {macs}。",
    )
    drawn_heat = Word(
        en="colour: share of the {what}, from 0 to {most}", zh="颜色：{what}占比，从 0 到 {most}"
    )
    of_the_macs = Word(en="its share of the multiply-adds", zh="乘加运算量占比")
    of_the_parameters = Word(en="its share of the parameters", zh="参数量占比")
    reads_as_rows = WordsByKey(
        {
            "layer": Word(
                en="Within a block: its layers, what holds others before these; channels or "
                "features; {}. x N: so many alike in a row, taken together.",
                zh="模块之内：各层，包含其他层的排在其前；通道数或特征数；{}。"
                "x N：连续 N 个相同，合并计算。",
            ),
            "op": Word(
                en="Within a block: its layers and their functions, what holds others before "
                "these; channels or features; {}. x N: so many alike in a row, taken together.",
                zh="模块之内：各层及其函数，包含其他的排在其前；通道数或特征数；{}。"
                "x N：连续 N 个相同，合并计算。",
            ),
        }
    )
    drawn_rest_made = Word(en="Made in no block: {made}.", zh="不在图中任何模块中产生的：{made}。")
    drawn_heat_bytes = Word(
        en="colour: {what}, from 0 to {most}", zh="颜色：{what}，从 0 到 {most}"
    )
    heats = WordsByKey(
        {
            "made": Word(
                en="bytes of the activations that it makes", zh="该模块产生的激活的字节数"
            ),
            "held": Word(
                en="the most bytes held at once while it runs, beside weights and inputs",
                zh="该模块运行期间同时持有的最大字节数（不含权重与输入）",
            ),
        }
    )
    heat_units = WordsByKey(
        {"made": Word(en="makes", zh="产生"), "held": Word(en="peak", zh="峰值")}
    )
    reads_as_box_of_bytes = Word(
        en="A box: the block, and {}; channels and size, in and out.",
        zh="每个方框：模块与{}；输入与输出的通道数和尺寸。",
    )
    reads_as_columns_of_bytes = Word(
        en="Steps go down, and lower resolutions stand further to the right. A step: the block; "
        "channels and size, in and out; {}.",
        zh="步骤自上而下，分辨率越低越靠右。每一步：模块；输入与输出的通道数和尺寸；{}。",
    )
    drawn_parameters = Word(en="params", zh="参数")
    not_drawn = Word(
        en="Not drawn, as they make no new feature map of the sample: {}.",
        zh="未画出（不产生由样本得到的新特征图）：{}。",
    )
    steering_not_drawn = Word(
        en="What steers the UNet is not drawn: {}.",
        zh="引导 UNet 的部分未画出：{}。",
    )
    drawn_failed = Word(
        en="The forward pass failed in {}: {}. It is drawn up to there.",
        zh="前向传播在 {} 处失败：{}。图画到该处为止。",
    )
    no_u = WordsByKey(
        {
            "no_skips": Word(
                en="This is no U, as no skips are joined: blocks stand in columns by resolution.",
                zh="这不是 U 形：没有跨层连接；各模块按分辨率分列。",
            ),
            "several": Word(
                en="This is no single U, as several run one after the other: blocks stand in "
                "columns by resolution.",
                zh="这不是单个 U 形：有几个依次运行；各模块按分辨率分列。",
            ),
            "nested": Word(
                en="This is no U, as skips begin behind the first join or end before the middle: "
                "blocks stand in columns by resolution.",
                zh="这不是 U 形：有跨层连接始于首次弹出之后，或止于中间模块之前；"
                "各模块按分辨率分列。",
            ),
            "levels": Word(
                en="This is no U, as resolutions do not go down once and then up once: blocks "
                "stand in columns by resolution.",
                zh="这不是 U 形：分辨率并非先一路下降、再一路上升；各模块按分辨率分列。",
            ),
        }
    )
