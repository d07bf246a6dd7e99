"""Names of things that photographs often show, in German, Spanish, French and Chinese.

Detectors know things by their English names. A row has the English word and its names in the four languages,
several of one language with commas; a plural has a row of its own where it differs.
"""

from __future__ import annotations

from functools import cache

__all__ = ["english_names"]

_LANGUAGES = ("de", "es", "fr", "zh")
_ROWS = """
coffee cup|kaffeetasse|taza de café|tasse à café,tasse de café|咖啡杯
cup|tasse,becher|taza|tasse,gobelet|杯子,杯
cups|tassen|tazas|tasses|
bottle|flasche|botella|bouteille|瓶子,瓶
bottles|flaschen|botellas|bouteilles|
glass|glas|vaso|verre|玻璃杯
glasses|brille|gafas,lentes,anteojos|lunettes|眼镜
sunglasses|sonnenbrille|gafas de sol|lunettes de soleil|墨镜,太阳镜
plate|teller|plato|assiette|盘子
coin|münze|moneda|pièce|硬币
coins|münzen|monedas|pièces|
motorcycle|motorrad|moto,motocicleta|moto|摩托车
motorcycles|motorräder|motos,motocicletas|motos|
truck|lastwagen,lkw|camión|camion|卡车
bus|bus|autobús|bus,autobus|公交车,巴士
train|zug|tren|train|火车
airplane|flugzeug|avión|avion|飞机
boat|boot|barco,bote|bateau|船
boats|boote|barcos,botes|bateaux|
ship|schiff|buque|navire|轮船
rocket|rakete|cohete|fusée|火箭
astronaut|astronaut,astronautin|astronauta|astronaute|宇航员
helmet|helm|casco|casque|头盔
flag|fahne,flagge|bandera|drapeau|旗帜,旗子
bridge|brücke|puente|pont|桥
tower|turm|torre|tour|塔
church|kirche|iglesia|église|教堂
castle|schloss,burg|castillo|château|城堡
building|gebäude|edificio|bâtiment,immeuble|大楼,建筑
buildings|gebäude|edificios|bâtiments,immeubles|
street|straße|calle|rue|街道
road|weg|carretera|route|马路
fence|zaun|valla,cerca|clôture|栅栏
garden|garten|jardín|jardin|花园
mountain|berg|montaña|montagne|山
mountains|berge|montañas|montagnes|
hill|hügel|colina|colline|山丘
sea|meer|mar|mer|大海,海
beach|strand|playa|plage|沙滩,海滩
sand|sand|arena|sable|沙子
lake|see|lago|lac|湖
river|fluss|río|rivière|河
snow|schnee|nieve|neige|雪
rain|regen|lluvia|pluie|雨
sun|sonne|sol|soleil|太阳
moon|mond|luna|lune|月亮
cloud|wolke|nube|nuage|云朵
clouds|wolken|nubes|nuages|云
stars|sterne|estrellas|étoiles|星星
shadow|schatten|sombra|ombre|影子,阴影
forest|wald|bosque|forêt|森林
leaf|blatt|hoja|feuille|树叶
leaves|blätter|hojas|feuilles|叶子
rose|rose|rosa|rose|玫瑰
roses|rosen|rosas|roses|
plant|pflanze|planta|plante|植物
apple|apfel|manzana|pomme|苹果
apples|äpfel|manzanas|pommes|
orange|orange,apfelsine|naranja|orange|橙子
oranges|orangen,apfelsinen|naranjas|oranges|
lemon|zitrone|limón|citron|柠檬
lemons|zitronen|limones|citrons|
banana|banane|plátano,banana|banane|香蕉
bananas|bananen|plátanos,bananas|bananes|
tomato|tomate|tomate|tomate|西红柿,番茄
tomatoes|tomaten|tomates|tomates|
strawberries|erdbeeren|fresas|fraises|草莓
bread|brot|pan|pain|面包
cake|kuchen,torte|pastel,tarta|gâteau|蛋糕
cheese|käse|queso|fromage|奶酪
pizza|pizza|pizza|pizza|披萨
soup|suppe|sopa|soupe|汤
coffee|kaffee|café|café|咖啡
wine|wein|vino|vin|红酒
ice cream|eis|helado|glace|冰淇淋
sofa|sofa,couch|sofá|canapé,sofa|沙发
bed|bett|cama|lit|床
pillow|kissen|almohada,cojín|oreiller,coussin|枕头
curtain|vorhang|cortina|rideau|窗帘
curtains|vorhänge,gardinen|cortinas|rideaux|
carpet|teppich|alfombra|tapis|地毯
floor|boden,fußboden|suelo,piso|sol,plancher|地板
shelf|regal|estante,estantería|étagère|架子
book|buch|libro|livre|书
books|bücher|libros|livres|
clock|uhr|reloj|horloge|时钟,钟
watch|armbanduhr|reloj de pulsera|montre|手表
mirror|spiegel|espejo|miroir|镜子
candle|kerze|vela|bougie|蜡烛
vase|vase|jarrón,florero|vase|花瓶
bowl|schüssel,schale|cuenco,tazón|bol,saladier|碗
spoon|löffel|cuchara|cuillère|勺子
knife|messer|cuchillo|couteau|刀
fork|gabel|tenedor|fourchette|叉子
pot|topf|olla,maceta|casserole,pot|锅
kitchen|küche|cocina|cuisine|厨房
computer|computer,rechner|computadora,ordenador|ordinateur|电脑
telephone|telefon,handy|teléfono,móvil,celular|téléphone|电话,手机
camera|kamera|cámara|appareil photo,caméra|相机
television|fernseher|televisor,televisión|télévision,télé|电视
keyboard|tastatur|teclado|clavier|键盘
bag|tasche|bolsa,bolso|sac|包
suitcase|koffer|maleta|valise|行李箱
backpack|rucksack|mochila|sac à dos|背包
umbrella|regenschirm,schirm|paraguas,sombrilla|parapluie,parasol|雨伞,伞
umbrellas|regenschirme,schirme|sombrillas|parapluies,parasols|
shoe|schuh|zapato|chaussure|鞋
shoes|schuhe|zapatos|chaussures|鞋子
trousers|hose|pantalones,pantalón|pantalon|裤子
jacket|jacke|chaqueta|veste|夹克,外套
coat|mantel|abrigo|manteau|大衣
skirt|rock|falda|jupe|裙子
sweater|pullover|suéter,jersey|pull|毛衣
scarf|schal|bufanda|écharpe,foulard|围巾
tie|krawatte|corbata|cravate|领带
necklace|halskette,kette|collar|collier|项链
ring|ring|anillo|bague|戒指
eye|auge|ojo|œil,oeil|眼睛
eyes|augen|ojos|yeux|
nose|nase|nariz|nez|鼻子
mouth|mund|boca|bouche|嘴巴,嘴
teeth|zähne|dientes|dents|牙齿
hand|hand|mano|main|手
hands|hände|manos|mains|
head|kopf|cabeza|tête|头
beard|bart|barba|barbe|胡子
baby|baby|bebé|bébé|婴儿,宝宝
boy|junge|muchacho,chico|garçon|男孩
girl|mädchen|muchacha,chica|fille|女孩
bride|braut|novia|mariée|新娘
tourists|touristen|turistas|touristes|游客
cow|kuh|vaca|vache|牛
cows|kühe|vacas|vaches|
sheep|schaf,schafe|oveja,ovejas|mouton,moutons|羊
pig|schwein|cerdo|cochon|猪
rabbit|kaninchen,hase|conejo|lapin|兔子
fish|fisch,fische|pez,peces,pescado|poisson,poissons|鱼
duck|ente|pato|canard|鸭子
lion|löwe|león|lion|狮子
tiger|tiger|tigre|tigre|老虎
bear|bär|oso|ours|熊
elephant|elefant|elefante|éléphant|大象
monkey|affe|mono|singe|猴子
butterfly|schmetterling|mariposa|papillon|蝴蝶
zebra|zebra|cebra|zèbre|斑马
leash|leine|correa|laisse|狗绳
toy|spielzeug|juguete|jouet|玩具
balloon|luftballon|globo|ballon de baudruche|气球
balloons|luftballons|globos|ballons de baudruche|
trash|müll,abfall|basura|déchets,ordures|垃圾
trash can|mülleimer,mülltonne|cubo de basura|poubelle|垃圾桶
stain|fleck|mancha|tache|污渍
logo|logo|logotipo,logo|logo|标志
watermark|wasserzeichen|marca de agua|filigrane|水印
receipt|kassenbon,quittung|recibo|ticket de caisse,reçu|收据,小票
traffic light|ampel|semáforo|feu rouge|红绿灯
lamp post|laterne,straßenlaterne|farola|lampadaire|路灯
bench|bank,parkbank|banco|banc|长椅
chimney|schornstein|chimenea|cheminée|烟囱
wheel|rad|rueda|roue|车轮
wheels|räder|ruedas|roues|
wooden|hölzern,hölzerne,hölzernen|de madera|en bois|木
golden|golden,goldene,goldenen,gold|dorado,dorada|doré,dorée|金色
silver|silbern,silberne,silber|plateado,plateada|argenté,argentée|银色
turquoise|türkis|turquesa|turquoise|青色
beige|beige|beis,beige|beige|米色
old|alt,alte,alten,alter,altes|viejo,vieja|vieux,vieille|旧
new|neu,neue,neuen,neuer,neues|nuevo,nueva|nouveau,nouvelle|新
"""


@cache
def english_names(language: str) -> dict[str, str]:
    """The names in one language with their English words, long names first."""
    place = 1 + _LANGUAGES.index(language)
    pairs = (
        (name, cells[0])
        for cells in (row.split("|") for row in _ROWS.strip().splitlines())
        for name in cells[place].split(",")
        if name
    )
    names: dict[str, str] = {}
    for name, word in pairs:
        names.setdefault(name, word)
    return dict(sorted(names.items(), key=lambda pair: -len(pair[0])))
